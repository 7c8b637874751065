// Owns the wait for replicas: what is acknowledged must outlive the server that has answered it.
//
// WAIT counts from its own connection's last write, and holds up whatever comes after it. So it has a connection of its
// own to the same server, and there follows a write that means nothing: whatever the server has answered before lies
// before that write in what it sends to its replicas.

import { StoreUnavailable } from '../../core/errors.js';
import type { Connection, Link } from './connection.js';
import { isStill } from './inspection.js';
import { keyNames } from './keys.js';
import type { Reachability } from './reachability.js';
import { redirectOf } from './redirect.js';
import type { StoreClock } from './store-clock.js';

/** Beside a shard's entries, under the same prefix, so that whoever may touch those may touch it. */
export function markOf(shard: number): string {
  const [birth = ''] = keyNames([{ kind: 'birth', shard }]);
  return birth.replace(/born$/, 'mark');
}
/** How much of a command's time WAIT takes at most: its answer must come before the connection is given up. */
const SHARE = 0.5;

/** How often it is looked, though nobody asks: a window must not run while no acknowledgement can be had. */
const LOOK_EVERY_MS = 1_000;

interface Round {
  readonly incarnation: string | undefined;
  /** How many replicas have confirmed. */
  readonly count: number;
}

export interface ReplicasParts {
  readonly connection: Connection;
  /** Hears whether enough replicas have what is written. */
  readonly reachability: Reachability;
  readonly clock: StoreClock;
  /** The keys of which one is written: in a cluster the next is tried where one is on its way to another node. */
  readonly marks: () => readonly string[];
  /** How many replicas must have it. */
  readonly least: number;
  readonly commandTimeoutMs: number;
}

export class Replicas {
  readonly #parts: ReplicasParts;
  readonly #waitMs: number;
  readonly #looking: NodeJS.Timeout;
  /** The round that was begun last. */
  #begun: Promise<Round> | undefined;
  /** The one that is not begun yet. */
  #next: Promise<Round> | undefined;
  /** When the last good round began, the store's time, Unix ms. */
  #goodAtMs = 0;

  /** Looks until it is closed. */
  constructor(parts: ReplicasParts) {
    this.#parts = parts;
    this.#waitMs = Math.floor(SHARE * parts.commandTimeoutMs);
    this.#looking = setInterval(() => this.#round().catch(() => {}), LOOK_EVERY_MS).unref();
  }

  /**
   * Resolves once enough replicas have all that an incarnation has answered until now.
   * @throws StoreUnavailable if they do not in time, or if another incarnation answers by now
   */
  async settle(incarnation: string | undefined): Promise<void> {
    const round = await this.#round();
    const { least } = this.#parts;
    if (round.count < least) {
      throw new StoreUnavailable(`${round.count} of ${least} replicas have confirmed what was answered`);
    }
    if (round.incarnation !== incarnation) {
      throw new StoreUnavailable('another Redis answers now than the one that was asked before');
    }
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /** Never one that has begun: what its caller waits for may be later than its mark. */
  #round(): Promise<Round> {
    this.#next ??= this.#after(this.#begun);
    return this.#next;
  }

  async #after(before: Promise<Round> | undefined): Promise<Round> {
    const { connection, reachability, clock, least, commandTimeoutMs } = this.#parts;
    // How that one ended is the affair of those who waited for it.
    await before?.catch(() => {});
    this.#begun = this.#next;
    this.#next = undefined;
    const beganMs = clock.now();
    try {
      // WAIT ends by itself; only an answer that is late beyond that tells of a lost connection.
      const round = await connection.run((link) => this.#mark(link), this.#waitMs + commandTimeoutMs);
      if (round.count >= least) this.#goodAtMs = beganMs;
      reachability.replicated(round.count >= least, this.#goodAtMs);
      return round;
    } catch (error) {
      reachability.replicated(false, this.#goodAtMs);
      throw error;
    }
  }

  async #mark({ aside, incarnation = '' }: Link): Promise<Round> {
    if (!aside) throw new StoreUnavailable('there is no connection to wait for replicas on');
    const { least, marks } = this.#parts;
    for (const mark of marks()) {
      const commands = [
        ['set', mark, '1'],
        ['wait', least, this.#waitMs],
        ['info', 'replication'],
      ];
      const answers = (await aside.pipeline(commands).exec()) ?? [];
      const failed = answers.find(([error]) => error !== null)?.[0];
      if (failed && redirectOf(failed)) continue;
      if (failed) throw failed;
      const [, [, count] = [null, 0], [, replication] = [null, '']] = answers;
      // It may have followed another primary and come back, with its connections standing.
      return { incarnation: isStill(incarnation, replication) ? incarnation : undefined, count: Number(count) };
    }
    throw new StoreUnavailable('every key that could be written to wait for replicas is on its way to another node');
  }
}
