// Failures as gRPC answers: the one table of status codes, with details that a client can decode
// (https://grpc.io/docs/guides/error, https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto).

import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { type CoreError, isCoreError } from '../core/errors.js';

/** Who defines the `reason` of our ErrorInfo. */
const DOMAIN = 'latchkey';
/** When a caller should come back to a store that did not answer, or to a service that is overloaded, seconds. */
const RETRY_AFTER_S = 1;

type Details = { code: status; message: string; type: string; value: Uint8Array };

/** When a caller should come back. */
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
      // The cause is in the log: it names hosts and drivers that callers have no business with.
      return { code: status.UNAVAILABLE, message: 'the store cannot answer; try again', type: 'RetryInfo', value };
    }
  }
}

/** The status of a failed call. Whatever we did not foresee gets a fixed text: its own may hold anything. */
export function statusOf(error: unknown): StatusObject {
  if (error instanceof CallRefused) return { code: error.status, details: error.message, metadata: new Metadata() };
  if (error instanceof Overloaded) return OVERLOADED;
  if (error instanceof GivenUp) return { code: status.CANCELLED, details: error.message, metadata: new Metadata() };
  if (!isCoreError(error)) {
    return { code: status.INTERNAL, details: 'internal error; the log has the cause', metadata: new Metadata() };
  }
  return withDetails(detailsOf(error));
}

function withDetails({ code, message, type, value }: Details): StatusObject {
  const metadata = new Metadata();
  const details = [{ typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(value) }];
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

/** The status of every call that is refused because there are too many: made once, for a refusal must cost little. */
export const OVERLOADED: StatusObject = withDetails({
  code: status.RESOURCE_EXHAUSTED,
  message: 'the service is overloaded; try again',
  type: 'RetryInfo',
  value: retryInfo(),
});

/** The caller may not call at all. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly status: status.UNAUTHENTICATED;

  constructor(message: string) {
    super(message);
    this.status = status.UNAUTHENTICATED;
  }
}

/** Too much is under way for this call to begin. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';

  constructor() {
    super(OVERLOADED.details);
  }
}

/** Nobody waits for the answer any more. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';

  constructor() {
    super('the caller has given up');
  }
}
