// The wait for replicas: what is acknowledged must outlive the server that has answered it.
//
// WAIT counts from its own connection's last write, and holds up the commands after it. So it has a connection of its own
// to the same server. A write without a meaning goes before it: all that the server has answered before lies before that
// write in what it sends to its replicas.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import type { Connection } from './connection.js';
import { isStill } from './inspection.js';
import { keyNames } from './keys.js';
import type { StoreClock } from './store-clock.js';
import { redirectOf } from './topology/redirect.js';

/** The write that goes before WAIT. */
export interface WaitWrite {
  /** Whether the server does not own the key's slot yet, which is moving to it. */
  readonly asking: boolean;
  readonly set: readonly string[];
}

/** Its key lies beside a shard's entries, under the same prefix, so that a user who may touch those may touch it. */
export function waitWriteOf(shard: number, asking: boolean): WaitWrite {
  const [birth = ''] = keyNames([{ kind: 'birth', shard }]);
  const name = birth.replace(/born$/, 'mark');
  // MIGRATE refuses a key that is at the destination already, so nothing may be left there.
  return { asking, set: asking ? ['set', `${name}-in`, '1', 'PX', '1'] : ['set', name, '1'] };
}
/** How much of a command's time WAIT takes at most: its answer must come before the connection is given up. */
const SHARE = 0.5;

/** How often replicas are looked at without a call: a window must not run while nothing can be acknowledged. */
const LOOK_EVERY_MS = 1_000;

interface Round {
  readonly incarnation: string | undefined;
  /** How many replicas have confirmed. */
  readonly count: number;
}

export interface ReplicasParts {
  readonly connection: Connection;
  readonly clock: StoreClock;
  /** Writes of which one is made: the next one is tried where a slot is moving. None: no slot of ours is at the server. */
  readonly waitWrites: () => readonly WaitWrite[];
  /** How many replicas must have it. */
  readonly least: number;
  readonly commandTimeoutMs: number;
  /** Called when `missingSinceMs` has changed. */
  readonly changed: () => void;
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
  #missingSinceMs: number | undefined;

  /** Looks until it is closed. */
  constructor(parts: ReplicasParts) {
    this.#parts = parts;
    this.#waitMs = Math.floor(SHARE * parts.commandTimeoutMs);
    this.#looking = setInterval(() => {
      if (parts.waitWrites().length > 0) this.#round().catch(() => {});
    }, LOOK_EVERY_MS).unref();
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

  /** Since when too few replicas have what was written, the store's time, Unix ms; undefined: enough have it. */
  get missingSinceMs(): number | undefined {
    return this.#missingSinceMs;
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
    const { connection, clock, least, commandTimeoutMs } = this.#parts;
    // How that one ended concerns its own callers alone.
    await before?.catch(() => {});
    this.#begun = this.#next;
    this.#next = undefined;
    const beganMs = clock.now();
    try {
      // WAIT ends by itself; only an answer that is late beyond that tells of a lost connection.
      const round = await connection.run('wait', (client) => this.#wait(client), this.#waitMs + commandTimeoutMs);
      if (round.count >= least) this.#goodAtMs = beganMs;
      this.#become(round.count >= least);
      return round;
    } catch (error) {
      this.#become(false);
      throw error;
    }
  }

  #become(enough: boolean): void {
    if (enough === (this.#missingSinceMs === undefined)) return;
    this.#missingSinceMs = enough ? undefined : this.#goodAtMs;
    this.#parts.changed();
  }

  async #wait(client: Redis): Promise<Round> {
    const { connection, least, waitWrites } = this.#parts;
    const { incarnation = '' } = connection;
    for (const { asking, set } of waitWrites()) {
      const commands = [
        ...(asking ? [['asking']] : []),
        [...set],
        ['wait', least, this.#waitMs],
        ['info', 'replication'],
      ];
      const answers = (await client.pipeline(commands).exec()) ?? [];
      const failed = answers.find(([error]) => error !== null)?.[0];
      if (failed && redirectOf(failed)) continue;
      if (failed) throw failed;
      const [[, count] = [null, 0], [, replication] = [null, '']] = answers.slice(-2);
      if (!Number.isSafeInteger(count))
        throw new StoreUnavailable('Redis answered WAIT with something else than a number');
      // It may have followed another primary and come back, with its connections standing.
      return { incarnation: isStill(incarnation, replication) ? incarnation : undefined, count: Number(count) };
    }
    throw new StoreUnavailable('every slot that could be written to wait for replicas is moving to another node');
  }
}
