// The check route: a proxy calls it for each request before it forwards that request (forward authentication).

import { linesOf } from '../../src/bearer/credentials.js';
import { type Convention, IdentityHeaders } from '../../src/bearer/identity-headers.js';
import { inactiveToken } from '../../src/bearer/refusals.js';
import { Guard } from '../../src/middleware/guard.js';
import { refusalOf } from '../../src/middleware/http-refusal.js';
import type { ActiveToken, ValidateOptions, Validator } from '../../src/validator/index.js';
import type { HttpResponse } from '../http/responses.js';
import type { CallContext } from '../service-connection.js';

export interface CheckSettings {
  /** How old an answer of the service may be, ms; 0: as of now. */
  readonly maxStalenessMs: number;
  readonly identityHeaders: readonly Convention[];
}

/** The parts of a request that decide. */
export interface CheckedRequest {
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  /** The request target in origin form. */
  readonly target: string;
}

/**
 * @param createValidator called by the first check, so that a gateway without a proxy has no validator; with the
 * `maxStaleness` that it must have, undefined: any, since each check demands to be strict
 */
export function createCheck(
  createValidator: (maxStalenessMs: number | undefined) => Validator,
  { maxStalenessMs, identityHeaders }: CheckSettings,
): (request: CheckedRequest, context: CallContext) => Promise<HttpResponse> {
  const headers = new IdentityHeaders(identityHeaders);
  const isStrict = maxStalenessMs === 0;
  // Without requirements the guard needs no promise for a token that is remembered.
  const requirements: ValidateOptions = isStrict ? { consistency: 'strict' } : {};
  let guard: Guard | undefined;
  return async ({ rawHeaders, target }, context) => {
    guard ??= new Guard(createValidator(isStrict ? undefined : maxStalenessMs), requirements);
    const decided = guard.decide(linesOf(rawHeaders, 'authorization'));
    const decision = decided instanceof Promise ? await decided : decided;
    if (decision.kind === 'active') return responseTo(decision.auth, audiencesIn(target), headers);
    if (decision.kind === 'unknown') context.onEnd({ code: 'UNAVAILABLE', details: decision.error.message });
    return refusalOf(decision);
  };
}

const responseTo = (auth: ActiveToken, audiences: readonly string[], headers: IdentityHeaders): HttpResponse =>
  audiences.every((one) => auth.audience.includes(one))
    ? { status: 200, headers: { ...headers.for(auth), 'cache-control': 'no-store' } }
    : inactiveToken('WRONG_AUDIENCE');

/**
 * The audiences that the proxy asks for: every `aud` of the query. A token must have all of them, because some proxies
 * add the client's own query, and a client must only be able to ask for more.
 */
function audiencesIn(target: string): readonly string[] {
  const start = target.indexOf('?');
  return start < 0 ? [] : new URLSearchParams(target.slice(start)).getAll('aud');
}
