// The table from errors to gRPC status codes, with details that a client can decode.
// https://grpc.io/docs/guides/error
// https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto

import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { type CoreError, isCoreError } from '../core/errors.js';
import { type Details, DOMAIN, withDetails } from './status-details.js';

/** When to retry if the store did not answer or the service is overloaded, seconds. */
export const RETRY_AFTER_S = 1;

/** When to retry. */
export const RETRY_INFO: RetryInfo = { retryDelay: { seconds: RETRY_AFTER_S, nanos: 0 } };
const retryInfo = (): Uint8Array => RetryInfo.encode(RETRY_INFO).finish();

function detailsOf(error: CoreError): Details {
  switch (error.code) {
    case 'TOKEN_REFUSED': {
      const metadata: Record<string, string> = error.why === undefined ? {} : { cause: error.why };
      const value = ErrorInfo.encode({ reason: error.problem, domain: DOMAIN, metadata }).finish();
      return { code: status.UNAUTHENTICATED, message: error.message, type: 'ErrorInfo', value };
    }
    case 'INVALID_INPUT': {
      const value = BadRequest.encode({
        fieldViolations: [{ ...error.violation, localizedMessage: undefined }],
      }).finish();
      return { code: status.INVALID_ARGUMENT, message: error.message, type: 'BadRequest', value };
    }
    case 'STORE_UNAVAILABLE': {
      const value = retryInfo();
      // The cause goes to the log only: it names internal hosts and drivers.
      return { code: status.UNAVAILABLE, message: 'the store cannot answer; try again', type: 'RetryInfo', value };
    }
  }
}

/** The status of a failed call. An unexpected error gets a fixed text, because its own text may hold secrets. */
export function statusOf(error: unknown): StatusObject {
  if (error instanceof Unauthenticated) return { code: error.status, details: error.message, metadata: new Metadata() };
  if (error instanceof Overloaded) return OVERLOADED;
  if (error instanceof CallCancelled)
    return { code: status.CANCELLED, details: error.message, metadata: new Metadata() };
  if (!isCoreError(error)) {
    return { code: status.INTERNAL, details: 'internal error; the log has the cause', metadata: new Metadata() };
  }
  return withDetails(detailsOf(error));
}

/** The status of a call that is refused because of overload. Built once, because a refusal must be cheap. */
export const OVERLOADED: StatusObject = withDetails({
  code: status.RESOURCE_EXHAUSTED,
  message: 'the service is overloaded; try again',
  type: 'RetryInfo',
  value: retryInfo(),
});

/** The status of a stream that is one too many. */
export const TOO_MANY_WATCHERS: StatusObject = withDetails({
  code: status.RESOURCE_EXHAUSTED,
  message: 'too many clients watch revocations (MAX_WATCHERS); try again, or another node',
  type: 'RetryInfo',
  value: retryInfo(),
});

/** The caller is not allowed to call this service. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
  readonly status: status.UNAUTHENTICATED;

  constructor(message: string) {
    super(message);
    this.status = status.UNAUTHENTICATED;
  }
}

/** Too many calls are under way for this call to begin. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';

  constructor() {
    super(OVERLOADED.details);
  }
}

/** The caller no longer waits for the response. */
export class CallCancelled extends Error {
  override readonly name = 'CallCancelled';

  constructor() {
    super('the caller has cancelled the call, or its deadline has passed');
  }
}
