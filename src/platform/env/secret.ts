// A secret text that templates, JSON and loggers do not print. Imports only Node.

import { inspect } from 'node:util';

/** The text that is shown instead of a secret. */
export const HIDDEN = '[secret]';

/** Templates, JSON, the console and the logger show HIDDEN. Only `reveal` returns the text. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
