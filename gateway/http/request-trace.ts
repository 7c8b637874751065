// The trace of one request: its span, the span of its call, and the headers that name it to the service.
// The names are those of OpenTelemetry: https://opentelemetry.io/docs/specs/semconv/http/http-spans/.

import type { IncomingHttpHeaders } from 'node:http';
import { passedOn, type TraceHeaders } from '../../src/platform/trace-context.js';
import type { TracedOperation, Tracing } from '../../src/platform/tracing.js';

/** The methods that may be in a span. All others are `_OTHER`, because a client could make up any. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

export interface TracedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The path in the table of routes; undefined: none. The path of the request itself could hold a token. */
  readonly route: string | undefined;
}

export class RequestTrace {
  readonly traceId: string;
  readonly #tracing: Tracing | undefined;
  readonly #operation: TracedOperation | undefined;
  readonly #headers: TraceHeaders;
  #call: TracedOperation | undefined;

  /** @param tracing undefined: the trace is only passed on */
  constructor(tracing: Tracing | undefined, { method, headers, route }: TracedRequest) {
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    this.#tracing = tracing;
    if (!tracing) {
      const { traceId, headers: onward } = passedOn(header);
      this.traceId = traceId;
      this.#headers = onward;
      return;
    }
    const known = METHODS.includes(method) ? method : '_OTHER';
    const path = route === undefined ? {} : { 'http.route': route, 'url.path': route };
    const attributes = { 'http.request.method': known, 'url.scheme': 'http', ...path };
    this.#operation = tracing.beginRequest(route === undefined ? known : `${known} ${route}`, attributes, header);
    this.traceId = this.#operation.traceId;
    this.#headers = this.#operation.headers();
  }

  /** Begins the call to the service. @param method `package.Service/Method`. @returns the metadata for it */
  beginCall(method: string): TraceHeaders {
    if (!this.#tracing || !this.#operation) return this.#headers;
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
    this.#call = this.#operation.beginCall(this.#tracing, method, attributes);
    return this.#call.headers();
  }

  /** @param code the name of the status code; for a caller every code but OK is an error */
  endCall(code: string): void {
    const error = code === 'OK' ? undefined : code;
    this.#call?.end({ attributes: { 'rpc.response.status_code': code }, error });
    this.#call = undefined;
  }

  /** @param status undefined: the client left before there was one */
  end(status: number | undefined): void {
    const attributes = status === undefined ? {} : { 'http.response.status_code': status };
    this.#operation?.end({ attributes, error: status !== undefined && status >= 500 ? `${status}` : undefined });
  }
}
