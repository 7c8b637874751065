// A text that never prints. Imports Node alone.

import { inspect } from 'node:util';

/** What is shown in a secret's place. */
export const HIDDEN = '[secret]';

/** A text that never prints: not by template, JSON, console or logger. Only `reveal` gives it away. */
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
