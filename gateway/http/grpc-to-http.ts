// Failed gRPC calls in HTTP: what kind of failure one is, and the response to it.
// Status codes: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md.

import { status } from '@grpc/grpc-js';
import type { BadRequest_FieldViolation } from '../../proto/gen/google/rpc/error_details.js';
import { TOKEN_INVALID, tokenText } from '../../src/bearer/refusals.js';
import { RpcError } from '../service-connection.js';
import { badFields, badToken, type HttpResponse, unavailable } from './responses.js';

/** The texts of djangorestframework for the field errors that it also has. */
const FIELD_TEXTS: ReadonlyMap<string, string> = new Map([
  ['REQUIRED', 'This field is required.'],
  ['TOO_LARGE', 'Ensure this field has no more than 8192 characters.'],
]);

/** The codes of failures that are expected to pass: an outage, an overload, a deadline. */
const TEMPORARY: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.CANCELLED,
]);

/** The response to a failed call. `isUnexpected`: an operator should look at the cause. */
export function responseToFailure(error: RpcError): {
  readonly response: HttpResponse;
  readonly isUnexpected: boolean;
} {
  const response = responseToBadRequest(error);
  if (response) return { response, isUnexpected: false };
  const retryAfterSeconds = Math.max(1, Math.ceil((error.details.retryMs ?? 0) / 1000));
  return { response: unavailable(retryAfterSeconds), isUnexpected: !TEMPORARY.has(error.status) };
}

/** The problem of a token, without its prefix, if that is why the call failed. */
export const tokenProblemIn = (error: unknown): string | undefined =>
  error instanceof RpcError && error.status === status.UNAUTHENTICATED && error.details.info?.domain === 'latchkey'
    ? error.details.info.reason
    : undefined;

/** Whether the call failed because its token is larger than any token of ours. */
export const isOversized = (error: unknown): boolean => hasViolation(error, ({ reason }) => reason === 'TOO_LARGE');

/** Whether the call failed because of the text that should name a subject. */
export const isInvalidSubject = (error: unknown): boolean => hasViolation(error, ({ field }) => field === 'subject');

/** Whether a logout failed because an access token names no session, and its refresh token is needed. */
export const namesNoSession = (error: unknown): boolean =>
  hasViolation(error, ({ field, reason }) => field === 'refresh_token' && reason === 'REQUIRED');

const hasViolation = (error: unknown, test: (violation: BadRequest_FieldViolation) => boolean): boolean =>
  error instanceof RpcError && error.status === status.INVALID_ARGUMENT && error.details.violations.some(test);

/** The response if the service found the request or its token bad; else undefined. */
function responseToBadRequest({ status: code, details }: RpcError): HttpResponse | undefined {
  switch (code) {
    case status.UNAUTHENTICATED:
      // Without our domain the status comes from a proxy, and says nothing about the token.
      if (details.info?.domain !== 'latchkey') return undefined;
      return badToken(tokenText(details.info.reason));
    case status.INVALID_ARGUMENT:
      return details.violations.map(responseToViolation).find((response) => response !== undefined);
    default:
      return undefined;
  }
}

function responseToViolation({ field, reason, description }: BadRequest_FieldViolation): HttpResponse | undefined {
  switch (field) {
    case 'refresh_token':
      return badFields({ refresh: [FIELD_TEXTS.get(reason) ?? description] });
    case 'access_token':
      return badToken(TOKEN_INVALID);
    case 'all_sessions':
      return badFields({ all_sessions: [description] });
    default:
      return undefined;
  }
}
