// Owns how handlers are called: which calls begin, how many are under way, and the one place that catches.

import type { StatusObject } from '@grpc/grpc-js';
import { InvalidInput } from '../core/errors.js';
import type { Logger } from '../log.js';
import { type Admission, FramedCall, type Level, levelOf, type ServiceCall } from './call-frame.js';
import type { Decoded } from './decoding.js';
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

/** Frames handlers, and counts the calls that are under way. */
export class Unary {
  readonly #log: Logger;
  readonly #admission: Admission;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(log: Logger, admission: Admission) {
    this.#log = log;
    this.#admission = admission;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves once no call is under way. */
  idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** @param level of the line for a success */
  handle<Request, Response>(
    method: string,
    handler: Handler<Request, Response>,
    level: Level = 'info',
  ): UnaryHandler<Decoded<Request>, Response> {
    return (request, call, answer) => {
      if (!this.#admission.mayBegin(call.path, this.#underWay)) return answer(OVERLOADED);
      this.#underWay++;
      const framed = new FramedCall(this.#log, this.#admission, method, call);
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
    new FramedCall(this.#log, this.#admission, method, call).close(levelOf(error), error);
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
    this.#underWay--;
    this.#admission.giveBack(framed.tokens);
    if (this.#underWay === 0) for (const resolve of this.#idle.splice(0)) resolve();
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
