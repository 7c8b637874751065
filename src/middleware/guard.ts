// The guard that all middlewares share: from the Authorization lines of a request to the token's identity or a refusal.

import { readCredentials } from '../bearer/credentials.js';
import { isReserved } from '../core/token/claims.js';
import type { ActiveToken, InactiveProblem, ValidateOptions, Validation, Validator } from '../validator/api.js';
import { type CannotTell, isCannotTell } from '../validator/errors.js';
import { readStaleness } from '../validator/options.js';
import type { TokenRequirements } from './options.js';

/** The decision on a request. */
export type Decision =
  | { readonly kind: 'active'; readonly auth: ActiveToken }
  /** There are no bearer credentials. */
  | { readonly kind: 'missing' }
  /** There are several credentials, or they are not one token. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'inactive'; readonly problem: InactiveProblem }
  /** The token is active, but lacks a required claim. */
  | { readonly kind: 'incomplete'; readonly claim: string }
  /** It is unknown whether the token is active. */
  | { readonly kind: 'unknown'; readonly error: CannotTell };

export type Refused = Exclude<Decision, { readonly kind: 'active' }>;

const NAMES: ReadonlySet<string> = new Set(['consistency', 'maxStaleness', 'requiredClaims']);

export class Guard {
  readonly #validator: Validator;
  /** Undefined: the validator's own `maxStaleness` counts, so a remembered token needs no promise. */
  readonly #options: ValidateOptions | undefined;
  readonly #requiredClaims: readonly string[];

  /** @throws TypeError for a wrong requirement */
  constructor(validator: Validator, requirements: TokenRequirements = {}) {
    if (typeof validator?.validate !== 'function') {
      throw new TypeError('a guard needs a validator; create one by createValidator of latchkey/validator');
    }
    if (typeof requirements !== 'object' || requirements === null) {
      throw new TypeError(`the requirements of a route are ${JSON.stringify(requirements)}; wanted is an object`);
    }
    const unknown = Object.keys(requirements).find((name) => !NAMES.has(name));
    if (unknown !== undefined) throw new TypeError(`a guarded route has no option ${JSON.stringify(unknown)}`);
    const { requiredClaims = [], ...options } = requirements;
    if (!Array.isArray(requiredClaims)) {
      throw new TypeError(`requiredClaims is ${JSON.stringify(requiredClaims)}; wanted is a list of names`);
    }
    // Wrong options throw here and not with the first request.
    readStaleness(options, 0);
    const reserved = requiredClaims.find(isReserved);
    if (reserved !== undefined) {
      const instead = 'the service checks it in every token, or createValidator does by audience and issuer';
      throw new TypeError(`requiredClaims names ${JSON.stringify(reserved)}, which is reserved: ${instead}`);
    }
    this.#validator = validator;
    this.#options = Object.keys(options).length > 0 ? options : undefined;
    this.#requiredClaims = requiredClaims;
  }

  /**
   * Decides on a request; synchronously, if no call is needed.
   * @param lines the values of all its Authorization lines
   * @throws what the validator throws besides CannotTell
   */
  decide(lines: readonly string[]): Decision | Promise<Decision> {
    const credentials = readCredentials(lines);
    if (credentials.kind !== 'token') return credentials;
    const { token } = credentials;
    const known = this.#options === undefined ? this.#validator.validateNow(token) : undefined;
    if (known) return this.#judge(known);
    return this.#validator.validate(token, this.#options).then(
      (validation) => this.#judge(validation),
      (error: unknown): Decision => {
        if (isCannotTell(error)) return { kind: 'unknown', error };
        throw error;
      },
    );
  }

  #judge(validation: Validation): Decision {
    if (!validation.active) return { kind: 'inactive', problem: validation.problem };
    // Own names only: every object has a `constructor`.
    const claim = this.#requiredClaims.find((name) => !Object.hasOwn(validation.claims, name));
    return claim === undefined ? { kind: 'active', auth: validation } : { kind: 'incomplete', claim };
  }
}
