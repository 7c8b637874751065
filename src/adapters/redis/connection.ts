// The connection to one server: checked before use and each second after, its clock followed, replaced when it fails.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { connect } from './client.js';
import { bounded, explain } from './failure.js';
import type { Log } from './server-check.js';
import { readPrimaryState } from './server-info.js';
import { SideConnection } from './side-connection.js';
import type { StoreClock } from './store-clock.js';
import { UnsafeStore } from './unsafe-store.js';

/** How often the server's time is read and the server checked: its settings can change after we connect. */
const SYNC_EVERY_MS = 1_000;
/** The delay between two attempts to connect: the first one; it doubles up to the second one. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 500;

export interface ConnectionParts {
  readonly makeClient: () => Redis;
  /** Whether a second connection to the same server is needed for WAIT. */
  readonly needsWait: boolean;
  /**
   * Checks the server, before the connection is used and each second while it is.
   * @throws if the server must not be used
   */
  readonly check: (client: Redis) => Promise<void>;
  readonly clock: StoreClock;
  readonly log: Log;
  /** Called when `why` has changed. */
  readonly changed: () => void;
  readonly commandTimeoutMs: number;
  /** The time limit for connecting and checking, ms. */
  readonly connectTimeoutMs: number;
}

/** The connection that a command uses: reads the main one, the others a side connection each. */
export type Use = 'read' | 'write' | 'wait';

/** The connections to one server, and the signal that ends them. */
interface Link {
  readonly client: Redis;
  readonly write: SideConnection;
  readonly wait: SideConnection;
  /** The server's incarnation; undefined: not read yet. */
  incarnation: string | undefined;
  /**
   * Whether the server reports its incarnation. If not, a side connection cannot prove that it reaches the same server.
   */
  isNamed: boolean;
  readonly end: AbortController;
}

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #incarnation: string | undefined;
  #link: Link | undefined;
  #why = 'Redis has not been reached yet';
  #unsafe: UnsafeStore | undefined;

  /** Connects, and reconnects until it is closed. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#kept = this.#keep();
  }

  /** Why the server is not usable; empty: it is usable. */
  get why(): string {
    return this.#why;
  }

  /** Why the server must not be used, if that ended the last connection. */
  get unsafe(): UnsafeStore | undefined {
    return this.#unsafe;
  }

  /** Identifies the server that answers, or answered last; undefined: none was reached yet. */
  get incarnation(): string | undefined {
    return this.#incarnation;
  }

  /**
   * Runs commands within a time limit. Rejects at once while the server is not reachable: waiting would only move the
   * queue into this process.
   * @throws StoreUnavailable
   */
  async run<T>(use: Use, commands: (client: Redis) => Promise<T>, limitMs = this.#parts.commandTimeoutMs): Promise<T> {
    const link = this.#link;
    if (link === undefined || this.#why !== '') throw new StoreUnavailable(this.#why);
    try {
      const isBeside = use === 'wait' || (use === 'write' && link.isNamed);
      if (isBeside) return await link[use].run(commands, limitMs);
      return await bounded(commands(link.client), limitMs, 'an answer of Redis');
    } catch (error) {
      const { detail, severs } = explain(error);
      if (severs) this.#leave(link, error);
      throw new StoreUnavailable(detail);
    }
  }

  /** Ends the connection. Unanswered commands reject. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#link) this.#end(this.#link);
    this.#become('the store is closed');
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = MIN_DELAY_MS;
    while (!signal.aborted) {
      let link: Link | undefined;
      try {
        link = this.#makeLink();
        this.#link = link;
        await this.#enter(link);
        for (;;) {
          await sleep(SYNC_EVERY_MS, undefined, { ref: false, signal: link.end.signal });
          await this.#sync(link);
          delayMs = MIN_DELAY_MS;
        }
      } catch (error) {
        if (link) this.#leave(link, error);
      }
      // A connection that breaks at once must not be replaced without a pause.
      await sleep(delayMs, undefined, { signal }).catch(() => {});
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
    }
  }

  #makeLink(): Link {
    const { makeClient, connectTimeoutMs } = this.#parts;
    const side = () => new SideConnection({ makeClient, connectTimeoutMs, incarnation: () => link.incarnation });
    const link: Link = {
      ...{ client: makeClient(), write: side(), wait: side() },
      ...{ incarnation: undefined, isNamed: false, end: new AbortController() },
    };
    return link;
  }

  /** Connects and checks the server, within a time limit: a paused server accepts connections but does not answer. */
  async #enter(link: Link): Promise<void> {
    const { check, needsWait, connectTimeoutMs } = this.#parts;
    const { client } = link;
    const what = client.options.tls ? 'connecting to Redis by TLS' : 'connecting to Redis';
    const entered = connect(client, async () => {
      await this.#keepTime(link);
      await check(client);
    });
    await bounded(Promise.all([entered, needsWait && link.wait.open()]), connectTimeoutMs, what);
    if (needsWait) link.wait.check();
    if (link.end.signal.aborted || client.status !== 'ready') {
      throw new StoreUnavailable('Redis closed the connection');
    }
    client.once('close', () => this.#leave(link, new StoreUnavailable('Redis closed the connection')));
    this.#incarnation = link.incarnation;
    this.#unsafe = undefined;
    this.#become('');
  }

  /** Reads the server's time, and checks that it is still the same incarnation. */
  #keepTime(link: Link): Promise<void> {
    return this.#parts.clock.sync(async () => {
      const { timeMs, incarnation, keptData } = await readPrimaryState(link.client);
      // A server that does not report its incarnation counts as another server after each reconnect.
      link.incarnation ??= incarnation ?? randomUUID();
      link.isNamed = incarnation !== undefined;
      if (incarnation === undefined || incarnation === link.incarnation) return timeMs;
      if (!keptData)
        throw new StoreUnavailable('Redis was a replica of another primary in the meantime, and may have lost writes');
      this.#parts.log.info(
        {},
        'Redis had no replica for repl-backlog-ttl and took a new replication id; nothing was lost',
      );
      link.incarnation = incarnation;
      this.#incarnation = incarnation;
      return timeMs;
    });
  }

  async #sync(link: Link): Promise<void> {
    const { check, commandTimeoutMs } = this.#parts;
    // In parallel, so that a server that is fast enough for calls is fast enough for this, too.
    const looked = Promise.all([this.#keepTime(link), check(link.client)]);
    await bounded(looked, commandTimeoutMs, 'an answer of Redis');
  }

  /** Ends a connection. The first reason is kept. */
  #leave(link: Link, reason: unknown): void {
    if (link.end.signal.aborted) return;
    this.#end(link);
    this.#unsafe = reason instanceof UnsafeStore ? reason : undefined;
    this.#become(explain(reason).detail);
  }

  #become(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#parts.changed();
  }

  #end(link: Link): void {
    link.end.abort();
    link.client.disconnect();
    link.write.close();
    link.wait.close();
  }
}
