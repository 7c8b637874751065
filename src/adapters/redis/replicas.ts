// Owns the wait for replicas: what is acknowledged must outlive the server that has answered it.
//
// WAIT counts from its own connection's last write, and holds up whatever comes after it. So it has a connection of its
// own to the same server, and there follows a write that means nothing: whatever the server has answered before lies
// before that write in what it sends to its replicas.

import { StoreUnavailable } from '../../core/errors.js';
import type { Connection, Link } from './connection.js';
import { keyNames } from './keys.js';

const [BIRTH = ''] = keyNames([{ kind: 'birth', shard: 0 }]);
/** Beside the entries, under the same prefix, so that whoever may touch those may touch it. */
export const MARK = BIRTH.replace(/born$/, 'mark');
/** How much of a command's time WAIT takes at most: its answer must come before the connection is given up. */
const SHARE = 0.5;

interface Round {
  readonly incarnation: string | undefined;
  /** How many replicas have confirmed. */
  readonly count: number;
}

export class Replicas {
  readonly #connection: Connection;
  readonly #least: number;
  readonly #limitMs: number;
  /** The round that was begun last. */
  #begun: Promise<Round> | undefined;
  /** The one that is not begun yet. */
  #next: Promise<Round> | undefined;

  /** @param least how many replicas must have it */
  constructor(connection: Connection, least: number, commandTimeoutMs: number) {
    this.#connection = connection;
    this.#least = least;
    this.#limitMs = Math.floor(SHARE * commandTimeoutMs);
  }

  /**
   * Resolves once enough replicas have all that an incarnation has answered until now.
   * @throws StoreUnavailable if they do not in time, or if another incarnation answers by now
   */
  async settle(incarnation: string | undefined): Promise<void> {
    // Never one that has begun: what this caller waits for may be later than its mark.
    this.#next ??= this.#after(this.#begun);
    const round = await this.#next;
    if (round.count < this.#least) {
      throw new StoreUnavailable(`${round.count} of ${this.#least} replicas have confirmed what was answered`);
    }
    if (round.incarnation !== incarnation) {
      throw new StoreUnavailable('another Redis answers now than the one that was asked before');
    }
  }

  async #after(before: Promise<Round> | undefined): Promise<Round> {
    // How that one ended is the affair of those who waited for it.
    await before?.catch(() => {});
    this.#begun = this.#next;
    this.#next = undefined;
    return this.#connection.run((link) => this.#mark(link));
  }

  async #mark({ aside, incarnation }: Link): Promise<Round> {
    if (!aside) throw new StoreUnavailable('there is no connection to wait for replicas on');
    const commands = [
      ['set', MARK, '1'],
      ['wait', this.#least, this.#limitMs],
    ];
    const answers = (await aside.pipeline(commands).exec()) ?? [];
    const failed = answers.find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
    return { incarnation, count: Number(answers[1]?.[1] ?? 0) };
  }
}
