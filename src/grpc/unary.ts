// How handlers are called: each call begins by admission, and ends in the one place that catches errors.

import type { StatusObject } from '@grpc/grpc-js';
import { InvalidInput } from '../core/errors.js';
import type { Logger } from '../log.js';
import type { Admission } from './admission.js';
import { FramedCall, type Level, levelOf, type ServiceCall } from './call-frame.js';
import type { Decoded } from './decoding.js';
import { endsSession } from './overload.js';
import { OVERLOADED, statusOf } from './status.js';
import type { IncomingCall, UnaryHandler } from './transport/method.js';

export type Handler<Request, Response> = (request: Request, call: ServiceCall) => Promise<Response>;

/** A handler for each method of a service whose requests come as `decodingFaults` gives them. */
export type UnaryHandlers<Definition> = {
  readonly [name in keyof Definition]: Definition[name] extends {
    requestDeserialize: (bytes: Buffer) => infer Request;
    responseSerialize: (response: infer Response) => Buffer;
  }
    ? UnaryHandler<Decoded<Request>, Response>
    : never;
};

/** Frames handlers. */
export class Unary {
  readonly #log: Logger;
  readonly #admission: Pick<Admission, 'begin'>;

  constructor(log: Logger, admission: Pick<Admission, 'begin'>) {
    this.#log = log;
    this.#admission = admission;
  }

  /** @param level of the line for a success */
  handle<Request, Response>(
    method: string,
    handler: Handler<Request, Response>,
    level: Level = 'info',
  ): UnaryHandler<Decoded<Request>, Response> {
    return (request, call, answer) => {
      // Many calls may be opened one by one and have their messages sent at once: the limit counts again here.
      const admitted = this.#admission.begin(endsSession(call.path));
      if (!admitted) return answer(OVERLOADED);
      const framed = new FramedCall(this.#log, admitted, method, call);
      const outcome = begin(request, handler, framed);
      // One step for each outcome: every promise more is paid for by every call.
      void outcome.then(
        (response) => this.#end(framed, level, undefined, () => answer(null, response)),
        (error: unknown) => this.#end(framed, levelOf(error), error, () => answer(statusOf(error))),
      );
    };
  }

  /** Refuses a call before its message is read, with a line in the log. */
  refuse(method: string, call: IncomingCall, error: Error): StatusObject {
    new FramedCall(this.#log, undefined, method, call).close(levelOf(error), error);
    return statusOf(error);
  }

  #end(framed: FramedCall, level: Level, error: unknown, answer: () => void): void {
    try {
      try {
        answer();
      } finally {
        framed.close(level, error);
      }
    } catch (err) {
      // What fails in the answering itself must not end the process.
      this.#log.error({ method: framed.method, err }, 'a call could not be answered');
    }
    framed.admitted?.end();
  }
}

/** What fails at once fails like all else: the call must be counted out again. */
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
