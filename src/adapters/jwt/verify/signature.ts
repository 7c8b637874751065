// The type of functions that verify a token's signature with one key. They check no claim.

import type { Compact } from './compact.js';

/** A payload whose signature is good. */
export interface SignedPayload {
  /** Undefined: it is not JSON in UTF-8. */
  readonly payload: unknown;
}

/**
 * Verifies a token's signature with one key, and then decodes the payload.
 * @returns undefined: the signature is not good
 */
export type VerifySignature = (token: Compact) => SignedPayload | undefined;
