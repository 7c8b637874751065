// One client of the event stream: a position in the log. At most 64 KiB wait for a slow reader.

import { Readable } from 'node:stream';
import { type EventLog, eventText } from './event-log.js';

/** Comments keep proxies from closing a silent connection. */
const HEARTBEAT = ': \n\n';

export class EventStream extends Readable {
  #log: EventLog;
  #position: number;
  #needsReset: boolean;
  #wants = false;
  #isOver = false;

  /** @param lastEventId the id of the last event that the client has; undefined: it has none */
  constructor(log: EventLog, lastEventId: string | undefined) {
    super({ highWaterMark: 64 * 1024 });
    const position = lastEventId === undefined ? undefined : log.after(lastEventId);
    this.#log = log;
    this.#position = position ?? 0;
    this.#needsReset = position === undefined;
  }

  /** Begins with another log. */
  reset(log: EventLog): void {
    this.#log = log;
    this.#position = 0;
    this.#needsReset = true;
    this.more();
  }

  /** Ends it once its socket has taken what is left. */
  finish(): void {
    this.#isOver = true;
    this.push(null);
  }

  /** There may be more events. */
  more(): void {
    while (this.#wants && !this.#isOver) {
      const text = this.#next();
      if (text === undefined) return;
      this.#wants = this.push(text);
    }
  }

  /** Sends an event without an id, if the client has all others; a client that is behind needs none. */
  now(text: string | undefined): void {
    if (this.#isOver || !this.#wants || this.#needsReset || this.#position < this.#log.length) return;
    this.#wants = this.push(text ?? HEARTBEAT);
  }

  override _read(): void {
    this.#wants = true;
    this.more();
  }

  #next(): string | undefined {
    if (this.#needsReset) {
      this.#needsReset = false;
      return eventText('reset', {});
    }
    const text = this.#log.at(this.#position);
    if (text !== undefined) this.#position++;
    return text;
  }
}
