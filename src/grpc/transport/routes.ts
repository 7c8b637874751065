// The methods of one listener, by path.

import type { OutgoingHttpHeaders } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { failure, statusHead } from './head.js';
import type { Handlers, MethodRules, MethodShape, StreamingHandler, UnaryHandler } from './method.js';

/** A method with its handler. */
export interface Route extends MethodRules {
  readonly shape: MethodShape;
  readonly handler: UnaryHandler<unknown, unknown> | StreamingHandler<unknown, unknown>;
  /** The response to a call that is not admitted. Built once, because a refusal must be cheap. */
  readonly rejectionHead: OutgoingHttpHeaders;
}

const UNAVAILABLE = failure(status.UNAVAILABLE, 'the call is not accepted now; try again');

export class Routes {
  readonly #routes = new Map<string, Route>();

  get all(): ReadonlyMap<string, Route> {
    return this.#routes;
  }

  /** Adds the methods of a service definition, all with the same rules. */
  add<Definition extends { readonly [name in keyof Definition]: MethodShape }>(
    definition: Definition,
    handlers: Handlers<Definition>,
    rules: MethodRules,
  ): void {
    const rejectionHead = statusHead(rules.admission?.rejection ?? UNAVAILABLE);
    for (const name of Object.keys(definition) as (keyof Definition)[]) {
      const shape: MethodShape = definition[name];
      this.#routes.set(shape.path, { ...rules, rejectionHead, shape, handler: handlers[name] as Route['handler'] });
    }
  }
}
