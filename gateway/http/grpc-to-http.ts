// Owns the table from a failed call of the service to the answer that the client gets. Status codes:
// https://github.com/grpc/grpc/blob/master/doc/statuscodes.md

import { status } from '@grpc/grpc-js';
import type { BadRequest_FieldViolation } from '../../proto/gen/google/rpc/error_details.js';
import type { CallFailed } from '../auth-client.js';
import { type Answer, badFields, badToken, unavailable } from './responses.js';

export const TOKEN_INVALID = 'Token is invalid';

/** The texts of simplejwt for the problems that it knows too; all others are TOKEN_INVALID. */
const TOKEN_TEXTS: ReadonlyMap<string, string> = new Map([
  ['EXPIRED', 'Token is expired'],
  ['WRONG_TYPE', 'Token has wrong type'],
  ['REVOKED', 'Token is blacklisted'],
  ['REUSED', 'Token is blacklisted'],
]);

/** The texts of djangorestframework for the faults that it knows too. */
const FIELD_TEXTS: ReadonlyMap<string, string> = new Map([
  ['REQUIRED', 'This field is required.'],
  ['TOO_LARGE', 'Ensure this field has no more than 8192 characters.'],
]);

/** The ways in which a call fails when nothing is wrong but the moment. */
const TEMPORARY: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.CANCELLED,
]);

/** The answer for a failed call; `unforeseen`: somebody should look at the cause. */
export function answerFailure(failure: CallFailed): { readonly answer: Answer; readonly unforeseen: boolean } {
  const answer = verdict(failure);
  if (answer) return { answer, unforeseen: false };
  const retryAfterSeconds = Math.max(1, Math.ceil((failure.details.retryMs ?? 0) / 1000));
  return { answer: unavailable(retryAfterSeconds), unforeseen: !TEMPORARY.has(failure.status) };
}

/** What the service has said about the request. Undefined: nothing that could be told as "bad". */
function verdict({ status: code, details }: CallFailed): Answer | undefined {
  switch (code) {
    case status.UNAUTHENTICATED:
      // Without our mark it comes from something in between, and says nothing of the token.
      if (details.info?.domain !== 'latchkey') return undefined;
      return badToken(TOKEN_TEXTS.get(details.info.reason) ?? TOKEN_INVALID);
    case status.INVALID_ARGUMENT:
      return details.violations.map(answerViolation).find((answer) => answer !== undefined);
    default:
      return undefined;
  }
}

function answerViolation({ field, reason, description }: BadRequest_FieldViolation): Answer | undefined {
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
