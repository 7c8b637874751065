// The check route: a proxy asks it about each request before it forwards that request (forward authentication).

import { linesOf, readCredentials } from '../../src/bearer/credentials.js';
import { type Convention, IdentityHeaders } from '../../src/bearer/identity-headers.js';
import { cannotTell, inactiveToken, invalidCredentials, missingCredentials } from '../../src/bearer/refusals.js';
import { CannotTell, type ValidateOptions, type Validation, type Validator } from '../../src/validator/index.js';
import type { CallContext } from '../auth-client.js';
import type { HttpResponse } from '../http/responses.js';

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

/** @param validator gives it; it is created by the first check, so that a gateway without a proxy has none */
export function createCheck(
  validator: () => Pick<Validator, 'validate'>,
  { maxStalenessMs, identityHeaders }: CheckSettings,
): (request: CheckedRequest, context: CallContext) => Promise<HttpResponse> {
  const headers = new IdentityHeaders(identityHeaders);
  const options: ValidateOptions = maxStalenessMs > 0 ? { maxStaleness: maxStalenessMs } : { consistency: 'strict' };
  return async ({ rawHeaders, target }, context) => {
    const credentials = readCredentials(linesOf(rawHeaders, 'authorization'));
    if (credentials.kind === 'missing') return missingCredentials;
    if (credentials.kind === 'invalid') return invalidCredentials;
    try {
      return responseTo(await validator().validate(credentials.token, options), audiencesIn(target), headers);
    } catch (error) {
      if (!(error instanceof CannotTell)) throw error;
      context.onEnd({ code: 'UNAVAILABLE', details: error.message });
      return cannotTell(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
    }
  };
}

function responseTo(validation: Validation, audiences: readonly string[], headers: IdentityHeaders): HttpResponse {
  if (!validation.active) return inactiveToken(validation.problem);
  if (!audiences.every((one) => validation.audience.includes(one))) return inactiveToken('WRONG_AUDIENCE');
  return { status: 200, headers: { ...headers.for(validation), 'cache-control': 'no-store' } };
}

/**
 * The audiences that the proxy asks for: every `aud` of the query. A token must have all of them, because some proxies
 * add the client's own query, and a client must only be able to ask for more.
 */
function audiencesIn(target: string): readonly string[] {
  const start = target.indexOf('?');
  return start < 0 ? [] : new URLSearchParams(target.slice(start)).getAll('aud');
}
