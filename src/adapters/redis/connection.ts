// Owns the connection: makes it, looks at the server before it is used, keeps time with it, and replaces it when it fails.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { connect } from './client.js';
import { bounded, explain } from './failure.js';
import { ask } from './inspection.js';
import type { Reachability } from './reachability.js';
import type { StoreClock } from './store-clock.js';

/** How often the server is asked for its time, and looked at anew: what was right when we came may be so no more. */
const SYNC_EVERY_MS = 1_000;
/** Between two tries to connect: from this, doubled each time, to that. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 500;

export interface ConnectionParts {
  /** Makes a client for one connection. The place for other ways to find the server. */
  readonly makeClient: () => Redis;
  /** Asks whatever must be right before a connection is used, and as long as it is. @throws if it is not */
  readonly admit: (client: Redis) => Promise<void>;
  readonly clock: StoreClock;
  readonly reachability: Reachability;
  readonly commandTimeoutMs: number;
  /** How long it may take until a connection can be used, ms. */
  readonly connectTimeoutMs: number;
}

/** One connection, and the way to give it up. */
interface Link {
  readonly client: Redis;
  readonly end: AbortController;
}

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #link: Link | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#kept = this.#keep();
  }

  /**
   * Runs commands. Rejects at once while Redis cannot be reached: waiting would only move the queue into this process.
   * @throws StoreUnavailable
   */
  async run<T>(commands: (client: Redis) => Promise<T>): Promise<T> {
    const link = this.#link;
    const { reachability, commandTimeoutMs } = this.#parts;
    if (link === undefined || reachability.sinceMs === undefined) throw new StoreUnavailable(reachability.why);
    try {
      return await bounded(commands(link.client), commandTimeoutMs, 'an answer of Redis');
    } catch (error) {
      const { detail, severs } = explain(error);
      if (severs) this.#leave(link, detail);
      throw new StoreUnavailable(detail);
    }
  }

  /** Ends the connection. What has not been answered is rejected. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#link) this.#end(this.#link);
    this.#parts.reachability.end();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = MIN_DELAY_MS;
    while (!signal.aborted) {
      const link: Link = { client: this.#parts.makeClient(), end: new AbortController() };
      this.#link = link;
      try {
        await this.#enter(link);
        for (;;) {
          await sleep(SYNC_EVERY_MS, undefined, { ref: false, signal: link.end.signal });
          await this.#sync(link);
          delayMs = MIN_DELAY_MS;
        }
      } catch (error) {
        this.#leave(link, explain(error).detail);
      }
      // One that breaks as soon as it is made must not be made anew without pause.
      await sleep(delayMs, undefined, { signal }).catch(() => {});
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
    }
  }

  /** Connects, and looks at the server before anybody uses it. All of it is bounded: a paused one accepts, and is mute. */
  async #enter(link: Link): Promise<void> {
    const { admit, clock, reachability, connectTimeoutMs } = this.#parts;
    const { client } = link;
    const entered = async () => {
      await connect(client);
      await clock.sync(() => ask(client));
      await admit(client);
    };
    await bounded(entered(), connectTimeoutMs, 'connecting to Redis');
    if (link.end.signal.aborted || client.status !== 'ready') throw new StoreUnavailable('Redis closed the connection');
    client.once('close', () => this.#leave(link, 'Redis closed the connection'));
    reachability.reached();
  }

  async #sync({ client }: Link): Promise<void> {
    const { admit, clock, commandTimeoutMs } = this.#parts;
    // At once, so that a server that is slow but in time for calls is in time for this, too.
    const looked = Promise.all([clock.sync(() => ask(client)), admit(client)]);
    await bounded(looked, commandTimeoutMs, 'an answer of Redis');
  }

  /** Gives a connection up. The first reason is the one that counts. */
  #leave(link: Link, why: string): void {
    if (link.end.signal.aborted) return;
    this.#end(link);
    this.#parts.reachability.lost(why);
  }

  #end(link: Link): void {
    link.end.abort();
    link.client.disconnect();
  }
}
