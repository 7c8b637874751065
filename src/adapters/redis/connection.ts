// The connection to one server: checked before use and each second after, its clock followed, replaced when it fails.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { bounded, explain } from './failure.js';
import { Link, type LinkParts, type Use } from './link.js';
import type { Log } from './server-check.js';
import { readPrimaryState } from './server-info.js';
import type { StoreClock } from './store-clock.js';
import { UnsafeStore } from './unsafe-store.js';

/** How often the server's time is read and the server checked: its settings can change after we connect. */
const SYNC_EVERY_MS = 1_000;
/** The delay between two attempts to connect: the first one; it doubles up to the second one. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 500;

export interface ConnectionParts extends LinkParts {
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
      return await link.run(use, commands, limitMs);
    } catch (error) {
      const { detail, severs } = explain(error);
      if (severs) this.#leave(link, error);
      throw new StoreUnavailable(detail);
    }
  }

  /** Ends the connection. Unanswered commands reject. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#link?.end();
    this.#become('the store is closed');
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = MIN_DELAY_MS;
    while (!signal.aborted) {
      let link: Link | undefined;
      try {
        link = new Link(this.#parts);
        this.#link = link;
        await this.#enter(link);
        for (;;) {
          await sleep(SYNC_EVERY_MS, undefined, { ref: false, signal: link.ended });
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

  async #enter(link: Link): Promise<void> {
    const { client } = link;
    await link.open(async () => {
      await this.#keepTime(link);
      await this.#parts.check(client);
    });
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
    if (link.ended.aborted) return;
    link.end();
    this.#unsafe = reason instanceof UnsafeStore ? reason : undefined;
    this.#become(explain(reason).detail);
  }

  #become(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#parts.changed();
  }
}
