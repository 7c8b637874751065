// Wrappers around the handlers of unary methods: admission before each call; its errors, log line and end after it.

import { type StatusObject, status } from '@grpc/grpc-js';
import { InvalidInput } from '../core/errors.js';
import type { Logger } from '../platform/log.js';
import type { Tracing } from '../platform/tracing.js';
import type { Admission } from './admission/admission.js';
import { endsSession } from './admission/call-admission.js';
import { CallContext, type ServiceCall } from './call-context.js';
import { type Level, levelOf } from './call-log.js';
import type { CallMetrics, MethodDurations } from './call-metrics.js';
import { beginCall, endCall } from './call-traces.js';
import type { Decoded } from './codec/decoding.js';
import { OVERLOADED, statusOf } from './status.js';
import type { IncomingCall, UnaryHandler } from './transport/method.js';

export type Handler<Request, Response> = (request: Request, call: ServiceCall) => Promise<Response>;

/** A handler for each method of a service whose definition has passed `withDecodeErrors`. */
export type ServiceHandlers<Definition> = {
  readonly [name in keyof Definition]: Definition[name] extends {
    requestDeserialize: (bytes: Buffer) => infer Request;
    responseSerialize: (response: infer Response) => Buffer;
  }
    ? UnaryHandler<Decoded<Request>, Response>
    : never;
};

/** Those that follow calls; undefined: nothing does. */
export interface CallObservers {
  readonly metrics?: CallMetrics | undefined;
  readonly tracing?: Tracing | undefined;
}

export class UnaryHandlers {
  readonly #log: Logger;
  readonly #admission: Pick<Admission, 'begin'>;
  readonly #metrics: CallMetrics | undefined;
  readonly #tracing: Tracing | undefined;

  constructor(log: Logger, admission: Pick<Admission, 'begin'>, { metrics, tracing }: CallObservers = {}) {
    this.#log = log;
    this.#admission = admission;
    this.#metrics = metrics;
    this.#tracing = tracing;
  }

  /** @param level of the log line for a success */
  wrap<Request, Response>(
    method: string,
    handler: Handler<Request, Response>,
    level: Level = 'info',
  ): UnaryHandler<Decoded<Request>, Response> {
    const durations = this.#metrics?.durationsOf(method);
    return (request, call, answer) => {
      // A client can open many calls one by one and send their messages at once, so the limit applies again here.
      const admitted = this.#admission.begin(endsSession(call.path));
      if (!admitted) return answer(OVERLOADED);
      const operation = this.#tracing && beginCall(this.#tracing, call);
      const context = new CallContext(this.#log, method, call, { admitted, operation });
      const run = (): Promise<Response> => begin(request, handler, context);
      const outcome = operation ? operation.run(run) : run();
      // One `then` with two callbacks: each further promise would cost every call.
      void outcome.then(
        (response) => {
          observeEnd(context, durations, status.OK);
          this.#end(context, level, undefined, () => answer(null, response));
        },
        (error: unknown) => {
          const end = statusOf(error);
          observeEnd(context, durations, end.code);
          this.#end(context, levelOf(error), error, () => answer(end));
        },
      );
    };
  }

  /** Refuses a call before its message is read, with a line in the log. */
  refuse(method: string, call: IncomingCall, error: Error): StatusObject {
    const context = new CallContext(this.#log, method, call);
    context.close(levelOf(error), error);
    const end = statusOf(error);
    observeEnd(context, this.#metrics?.durationsOf(method), end.code);
    return end;
  }

  #end(context: CallContext, level: Level, error: unknown, answer: () => void): void {
    try {
      try {
        answer();
      } finally {
        context.close(level, error);
      }
    } catch (err) {
      // An error in the response itself must not end the process.
      this.#log.error({ method: context.method, err }, 'a call could not be answered');
    }
    context.admitted?.end();
  }
}

function observeEnd({ startMs, operation }: CallContext, durations: MethodDurations | undefined, code: status): void {
  durations?.ended(code, startMs);
  if (operation) endCall(operation, code);
}

/** Runs the handler. A synchronous error also becomes a rejection, so that the call is always counted as ended. */
function begin<Request, Response>(
  request: Decoded<Request>,
  handler: Handler<Request, Response>,
  call: ServiceCall,
): Promise<Response> {
  try {
    return request instanceof InvalidInput ? Promise.reject(request) : handler(request, call);
  } catch (error) {
    return Promise.reject(error);
  }
}
