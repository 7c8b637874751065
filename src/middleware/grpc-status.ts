// The table from a refused call to its gRPC status, with details that a client can decode.

import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { DOMAIN, withDetails } from '../grpc/status-details.js';
import type { Refused } from './guard.js';

/** The status of a call that is not let through. */
export function statusOf(refused: Refused): StatusObject {
  switch (refused.kind) {
    case 'missing':
      return unauthenticated('NOT_AUTHENTICATED', 'the call has no bearer token in its metadata');
    case 'invalid':
      return unauthenticated('INVALID_REQUEST', 'the metadata must have one authorization entry with one bearer token');
    case 'inactive':
      return unauthenticated(refused.problem, `the token is not active (${refused.problem})`);
    case 'incomplete':
      return unauthenticated('MISSING_CLAIM', `the token has no claim ${JSON.stringify(refused.claim)}`);
    case 'unknown':
      return unavailable(refused.error.retryAfterMs);
  }
}

function unauthenticated(reason: string, message: string): StatusObject {
  const value = ErrorInfo.encode({ reason, domain: DOMAIN, metadata: {} }).finish();
  return withDetails({ code: status.UNAUTHENTICATED, message, type: 'ErrorInfo', value });
}

function unavailable(retryAfterMs: number): StatusObject {
  const ms = Math.ceil(retryAfterMs);
  const retryDelay = { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
  const value = RetryInfo.encode({ retryDelay }).finish();
  const message = 'it is unknown whether the token is active; try again';
  return withDetails({ code: status.UNAVAILABLE, message, type: 'RetryInfo', value });
}

/** The status after an unexpected error, whose text may hold secrets. */
export const INTERNAL: StatusObject = {
  code: status.INTERNAL,
  details: 'internal error while the token was checked',
  metadata: new Metadata(),
};
