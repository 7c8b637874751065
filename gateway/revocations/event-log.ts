// The events of one stream of WatchRevocations, kept from its start, because each client is sent all of them.
//
// An event's id is the log's name and its number. A client that names an id of this log goes on after it. Any other
// begins with `reset` and reads the log from the start, which is all that still matters.

import { randomUUID } from 'node:crypto';

/** An event as it is sent, by the format of https://html.spec.whatwg.org/multipage/server-sent-events.html. */
export const eventText = (name: string, data: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export class EventLog {
  readonly #name = randomUUID();
  readonly #texts: string[] = [];
  #bytes = 0;
  #startBytes: number | undefined;

  get length(): number {
    return this.#texts.length;
  }

  /** Whether it has all that was known at the start. */
  get isCaughtUp(): boolean {
    return this.#startBytes !== undefined;
  }

  /** Whether it holds much more than what it began with. A new one would begin with what still matters. */
  isOverfull(spareBytes: number): boolean {
    return this.#startBytes !== undefined && this.#bytes > 2 * this.#startBytes + spareBytes;
  }

  add(name: string, data: object): void {
    const text = eventText(name, data, `${this.#name}.${this.#texts.length}`);
    this.#texts.push(text);
    this.#bytes += text.length;
  }

  caughtUp(): void {
    this.#startBytes ??= this.#bytes;
  }

  /** The text of an event; undefined: it has not come yet. */
  at(position: number): string | undefined {
    return this.#texts[position];
  }

  /** The position after an event's id; undefined: the id is of another log. */
  after(id: string): number | undefined {
    const [, name, digits] = /^([0-9a-f-]{36})\.(\d{1,9})$/.exec(id) ?? [];
    const position = Number(digits) + 1;
    return name === this.#name && position <= this.#texts.length ? position : undefined;
  }
}
