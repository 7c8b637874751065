// The handler of Envoy's external authorization: each decision is ValidateToken's, as of now.

import { AuthorizationService } from '../../../proto/gen/envoy/service/auth/v3/external_auth.js';
import { readCredentials } from '../../bearer/credentials.js';
import { type Convention, IdentityHeaders } from '../../bearer/identity-headers.js';
import { cannotTell, inactiveToken, invalidCredentials, missingCredentials } from '../../bearer/refusals.js';
import type { Context } from '../../core/context.js';
import type { TokenProblem } from '../../core/token/errors.js';
import { type BatchResult, type UnexpectedError, validateAmong } from '../../core/use-cases/validate-many.js';
import type { ServiceCall } from '../call-context.js';
import type { CallMetrics } from '../call-metrics.js';
import { type CheckInput, decodeCheckRequest } from '../codec/check-request.js';
import { AllowedResponses, refusedResponse } from '../codec/check-response.js';
import { RETRY_AFTER_S } from '../status.js';
import type { ServiceHandlers, UnaryHandlers } from '../unary-handlers.js';

export interface ExtAuthzOptions {
  /** Whether a request that cannot be decided counts as an error, which Envoy's `failure_mode_allow` lets through. */
  readonly unsureIsError: boolean;
  readonly identityHeaders: readonly Convention[];
}

/** Its handler takes what a decision needs of the request, and answers an encoded response. */
export const EXT_AUTHZ_SERVICE = {
  check: {
    ...AuthorizationService.check,
    requestDeserialize: decodeCheckRequest,
    responseSerialize: (response: Buffer): Buffer => response,
  },
} as const;

/** A Check holds the head of an HTTP request: Envoy accepts 60 KiB of headers by default. Its body is not asked for. */
export const MAX_CHECK_BYTES = 256 * 1024;

const MISSING = refusedResponse(missingCredentials);
const INVALID = refusedResponse(invalidCredentials);

export function extAuthzService(
  context: Context,
  unary: UnaryHandlers,
  { unsureIsError, identityHeaders }: ExtAuthzOptions,
  metrics?: CallMetrics,
): ServiceHandlers<typeof EXT_AUTHZ_SERVICE> {
  const allowed = new AllowedResponses(new IdentityHeaders(identityHeaders));
  const unsure = refusedResponse(cannotTell(RETRY_AFTER_S), unsureIsError);

  async function check({ authorization, names, audience }: CheckInput, call: ServiceCall): Promise<Buffer> {
    const credentials = readCredentials(authorization);
    if (credentials.kind !== 'token') return credentials.kind === 'missing' ? MISSING : INVALID;
    const verdict = await validateAmong(context, call, credentials.token, audience);
    metrics?.validated(verdict);
    if (isUnknown(verdict)) {
      logUnknown(verdict, call);
      return unsure;
    }
    if (verdict.active) return allowed.for(verdict.verified, names);
    call.addLogFields({ problem: verdict.problem, why: verdict.why });
    return inactiveResponse(verdict.problem);
  }

  // Called for every request to every protected service, so a success is logged at `debug`.
  return { check: unary.wrap('Check', check, 'debug') };
}

const isUnknown = (
  verdict: BatchResult | UnexpectedError,
): verdict is Exclude<BatchResult | UnexpectedError, { readonly active: boolean }> => !('active' in verdict);

function logUnknown(
  verdict: Exclude<BatchResult | UnexpectedError, { readonly active: boolean }>,
  call: ServiceCall,
): void {
  if ('unavailable' in verdict)
    call.addLogFields({ detail: verdict.unavailable.message, err: verdict.unavailable.cause }, 'warn');
  // Not thrown: Envoy's `failure_mode_allow` lets a request through when a call fails.
  else call.addLogFields({ err: verdict.unexpected }, 'error');
}

const inactive = new Map<TokenProblem, Buffer>();

function inactiveResponse(problem: TokenProblem): Buffer {
  const cached = inactive.get(problem) ?? refusedResponse(inactiveToken(problem));
  inactive.set(problem, cached);
  return cached;
}
