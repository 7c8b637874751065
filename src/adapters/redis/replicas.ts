// The wait for replicas (WAIT): an acknowledged write must survive the loss of its server.
//
// WAIT refers to the last write of its own connection, and delays the commands after it. So it has a connection of its
// own to the same server, and a dummy write precedes it: everything that the server has answered before precedes that
// write in the replication stream.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import type { Connection } from './connection.js';
import { explain, lacksReplicas } from './failure.js';
import { birthName } from './keys.js';
import type { Log } from './server-check.js';
import { isSameIncarnation } from './server-info.js';
import type { StoreClock } from './store-clock.js';
import { redirectOf } from './topology/redirect.js';

/** The dummy write before WAIT. */
export interface WaitWrite {
  /** Whether ASKING must precede it: the key's slot is moving to the server. */
  readonly asking: boolean;
  readonly set: readonly string[];
}

/** The dummy write for a shard. Its key has the prefix of the shard's entries, so that the same ACL rule allows it. */
export function waitWriteOf(shard: number, asking: boolean): WaitWrite {
  const birth = birthName(shard);
  const name = birth.replace(/born$/, 'mark');
  // MIGRATE refuses a key that exists at the destination already, so no key may remain there.
  return { asking, set: asking ? ['set', `${name}-in`, '1', 'PX', '1'] : ['set', name, '1'] };
}

/** WAIT's share of the time limit of a command: its answer must arrive before the connection ends. */
const SHARE = 0.5;

/** How often replicas are checked without a call: a grace window must not run while nothing can be acknowledged. */
const LOOK_EVERY_MS = 1_000;

interface Round {
  readonly incarnation: string | undefined;
  /** How many replicas have confirmed. */
  readonly count: number;
}

export interface ReplicasParts {
  readonly connection: Connection;
  readonly clock: StoreClock;
  /** Possible dummy writes: if a slot is moving, the next one is tried. Empty: the server owns none of our slots. */
  readonly waitWrites: () => readonly WaitWrite[];
  /** How many replicas must confirm. */
  readonly minReplicas: number;
  readonly commandTimeoutMs: number;
  readonly log: Log;
  /** Called when `missingSinceMs` has changed. */
  readonly changed: () => void;
}

export class Replicas {
  readonly #parts: ReplicasParts;
  readonly #waitMs: number;
  readonly #looking: NodeJS.Timeout;
  /** The round that was started last. */
  #begun: Promise<Round> | undefined;
  /** The round that has not started yet. */
  #next: Promise<Round> | undefined;
  /** The start of the last successful round, the store's time, Unix ms. */
  #goodAtMs = 0;
  #missingSinceMs: number | undefined;
  /** Whether the log says that too few replicas of this server confirm; undefined: it says nothing of them yet. */
  #isReported: boolean | undefined;

  /** Checks periodically until it is closed. */
  constructor(parts: ReplicasParts) {
    this.#parts = parts;
    this.#waitMs = Math.floor(SHARE * parts.commandTimeoutMs);
    this.#looking = setInterval(() => {
      if (parts.waitWrites().length > 0) this.#round().catch(() => {});
    }, LOOK_EVERY_MS).unref();
  }

  /**
   * Resolves once enough replicas have everything that an incarnation has answered by now.
   * @throws StoreUnavailable if too few confirm in time, or if another incarnation answers
   */
  async waitForReplicas(incarnation: string | undefined): Promise<void> {
    const round = await this.#round();
    const { minReplicas } = this.#parts;
    if (round.count < minReplicas) {
      throw new StoreUnavailable(`only ${round.count} of ${minReplicas} replicas have confirmed the write`);
    }
    if (round.incarnation !== incarnation) {
      throw new StoreUnavailable('another Redis answers now than at the start of the call');
    }
  }

  /** The time since which too few replicas confirm, the store's time, Unix ms; undefined: enough confirm. */
  get missingSinceMs(): number | undefined {
    return this.#missingSinceMs;
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /**
   * Joins the round that has not started yet: the caller's write may be later than the dummy write of the current one.
   */
  #round(): Promise<Round> {
    this.#next ??= this.#after(this.#begun);
    return this.#next;
  }

  async #after(before: Promise<Round> | undefined): Promise<Round> {
    const { connection, clock, minReplicas, commandTimeoutMs } = this.#parts;
    // A failure of the earlier round is reported to its own callers only.
    await before?.catch(() => {});
    this.#begun = this.#next;
    this.#next = undefined;
    const beganMs = clock.now();
    try {
      // WAIT ends by itself; an answer later than that means a lost connection.
      const round = await connection.run('wait', (client) => this.#wait(client), this.#waitMs + commandTimeoutMs);
      if (round.count >= minReplicas) this.#goodAtMs = beganMs;
      this.#become(round.count >= minReplicas);
      this.#report(round.count < minReplicas ? { count: round.count, minReplicas } : undefined);
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

  /**
   * Logs the first answer of the server, and each change: after a failover, the line that enough replicas confirm must
   * follow, whatever the log says of the previous primary. A round without an answer says nothing about the replicas.
   * @param lack the fields of the line that too few confirm; undefined: enough do
   */
  #report(lack: Readonly<Record<string, unknown>> | undefined): void {
    const { log } = this.#parts;
    const isLacking = lack !== undefined;
    if (isLacking === this.#isReported) return;
    this.#isReported = isLacking;
    if (isLacking) log.warn(lack, 'too few replicas have what is written: nothing is acknowledged');
    else log.info({}, 'enough replicas have what is written');
  }

  async #wait(client: Redis): Promise<Round> {
    const { connection, minReplicas, waitWrites } = this.#parts;
    const { incarnation = '' } = connection;
    for (const { asking, set } of waitWrites()) {
      const commands = [
        ...(asking ? [['asking']] : []),
        [...set],
        ['wait', minReplicas, this.#waitMs],
        ['info', 'replication'],
      ];
      const answers = (await client.pipeline(commands).exec()) ?? [];
      const failed = answers.find(([error]) => error !== null)?.[0];
      if (failed && redirectOf(failed)) continue;
      if (failed && lacksReplicas(failed)) this.#report({ detail: explain(failed).detail });
      if (failed) throw failed;
      const [[, count] = [null, 0], [, replication] = [null, '']] = answers.slice(-2);
      if (!Number.isSafeInteger(count))
        throw new StoreUnavailable('Redis answered WAIT with something else than a number');
      // The server may have been a replica of another primary in between, without closing its connections.
      return {
        incarnation: isSameIncarnation(incarnation, replication) ? incarnation : undefined,
        count: Number(count),
      };
    }
    throw new StoreUnavailable('cannot wait for replicas: every slot of this server is moving to another node');
  }
}
