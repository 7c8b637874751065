// The public types that all middlewares share. Imports types alone, so that its declarations need no others.

import type { ValidateOptions } from '../validator/api.js';

/** What a route requires of an access token. */
export interface TokenRequirements extends ValidateOptions {
  /**
   * Names of claims that the login back end has set and that a token must have, whatever their value. Registered claims
   * (RFC 7519, section 4.1) have no place here: the validator and the service check them.
   */
  readonly requiredClaims?: readonly string[];
}
