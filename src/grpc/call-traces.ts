// The spans of calls, with the names of OpenTelemetry's conventions for RPC.
// https://opentelemetry.io/docs/specs/semconv/rpc/grpc/

import { status } from '@grpc/grpc-js';
import type { TracedOperation, Tracing } from '../platform/tracing.js';
import type { IncomingCall } from './transport/method.js';

/** The codes that are an error of the server; all others are the caller's. */
const SERVER_ERRORS: ReadonlySet<status> = new Set([
  ...[status.UNKNOWN, status.DEADLINE_EXCEEDED, status.UNIMPLEMENTED, status.INTERNAL],
  ...[status.UNAVAILABLE, status.DATA_LOSS],
]);

export function beginCall(tracing: Tracing, call: IncomingCall): TracedOperation {
  const method = call.path.slice(1);
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
  return tracing.beginRequest(method, attributes, (name) => call.header(name));
}

export function endCall(operation: TracedOperation, code: status): void {
  const name = status[code];
  const error = SERVER_ERRORS.has(code) ? name : undefined;
  operation.end({ attributes: { 'rpc.response.status_code': name }, error });
}
