// The methods of one listener, by path.

import type { Handlers, MethodRules, MethodShape, Route } from './method.js';

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
    for (const name of Object.keys(definition) as (keyof Definition)[]) {
      const shape: MethodShape = definition[name];
      this.#routes.set(shape.path, { ...rules, shape, handler: handlers[name] as Route['handler'] });
    }
  }
}
