// The connection to one server: made, checked before it is used and each second after, kept in time with, and replaced when it fails.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { connect } from './client.js';
import { bounded, explain } from './failure.js';
import { ask } from './inspection.js';
import type { StoreClock } from './store-clock.js';
import type { Log, ServerStatus } from './topology/server-status.js';

/** How often the server is asked for its time, and checked: its settings can change after we connect. */
const SYNC_EVERY_MS = 1_000;
/** Between two tries to connect: from this, doubled each time, to that. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 500;

export interface ConnectionParts {
  readonly makeClient: () => Redis;
  /** Whether a second connection goes to the same server, for commands that hold up the commands after them. */
  readonly needsWaitClient: boolean;
  /** Checks what must be right before a connection is used, and as long as it is. @throws if it is not */
  readonly admit: (client: Redis) => Promise<void>;
  readonly clock: StoreClock;
  readonly status: ServerStatus;
  readonly log: Log;
  readonly commandTimeoutMs: number;
  /** How long it may take until a connection can be used, ms. */
  readonly connectTimeoutMs: number;
}

/** One connection, or two to one server, and the way to give them up. */
export interface Link {
  readonly client: Redis;
  readonly waitClient: Redis | undefined;
  /** The server's name for itself, once it was asked. */
  incarnation: string | undefined;
  readonly end: AbortController;
}

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #incarnation: string | undefined;
  #link: Link | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#kept = this.#keep();
  }

  /** Names the server that answers, or was the last to; undefined: none was reached yet. */
  get incarnation(): string | undefined {
    return this.#incarnation;
  }

  /**
   * Runs commands, for as long as a command may take, or for another time. Rejects at once while the server cannot be
   * reached: waiting would only move the queue into this process.
   * @throws StoreUnavailable
   */
  async run<T>(commands: (link: Link) => Promise<T>, limitMs = this.#parts.commandTimeoutMs): Promise<T> {
    const link = this.#link;
    const { status } = this.#parts;
    if (link === undefined || !status.isUp) throw new StoreUnavailable(status.why);
    try {
      return await bounded(commands(link), limitMs, 'an answer of Redis');
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
    this.#parts.status.lost('the store is closed');
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
        if (link) this.#leave(link, explain(error).detail);
      }
      // A connection that breaks as soon as it is made must not be made anew without a pause.
      await sleep(delayMs, undefined, { signal }).catch(() => {});
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
    }
  }

  #makeLink(): Link {
    const { makeClient, needsWaitClient } = this.#parts;
    const waitClient = needsWaitClient ? makeClient() : undefined;
    return { client: makeClient(), waitClient, incarnation: undefined, end: new AbortController() };
  }

  /** Connects, and checks the server before it is used. All of it is bounded: a paused one accepts, and does not answer. */
  async #enter(link: Link): Promise<void> {
    const { admit, status, connectTimeoutMs } = this.#parts;
    const { client, waitClient } = link;
    const clients = waitClient ? [client, waitClient] : [client];
    const entered = async () => {
      await this.#keepTime(link);
      await admit(client);
    };
    const what = client.options.tls ? 'connecting to Redis by TLS' : 'connecting to Redis';
    const both = Promise.all([connect(client, entered), waitClient && this.#enterWaitClient(waitClient)]);
    const [, other] = await bounded(both, connectTimeoutMs, what);
    // One server cannot confirm what another has answered: behind one address there may be several.
    if (waitClient && other !== link.incarnation) {
      throw new StoreUnavailable(
        'two connections to Redis did not reach the same server, or it does not tell its name (it must allow INFO)',
      );
    }
    if (link.end.signal.aborted || clients.some(({ status }) => status !== 'ready')) {
      throw new StoreUnavailable('Redis closed the connection');
    }
    for (const each of clients) each.once('close', () => this.#leave(link, 'Redis closed the connection'));
    this.#incarnation = link.incarnation;
    status.reached();
  }

  /** @returns which server it has reached */
  async #enterWaitClient(waitClient: Redis): Promise<string | undefined> {
    let incarnation: string | undefined;
    await connect(waitClient, async () => {
      ({ incarnation } = await ask(waitClient));
    });
    return incarnation;
  }

  /** Takes over the server's time, if it still is the server that it was. */
  #keepTime(link: Link): Promise<void> {
    return this.#parts.clock.sync(async () => {
      const { timeMs, incarnation, keptData } = await ask(link.client);
      // A server that does not tell its name counts as another one with each connection.
      link.incarnation ??= incarnation ?? randomUUID();
      if (incarnation === undefined || incarnation === link.incarnation) return timeMs;
      if (!keptData)
        throw new StoreUnavailable('Redis has followed another primary in between, and may have lost writes');
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
    const { admit, commandTimeoutMs } = this.#parts;
    // At once, so that a server that is slow but in time for calls is in time for this, too.
    const looked = Promise.all([this.#keepTime(link), admit(link.client)]);
    await bounded(looked, commandTimeoutMs, 'an answer of Redis');
  }

  /** Gives a connection up. The first reason is the one that counts. */
  #leave(link: Link, why: string): void {
    if (link.end.signal.aborted) return;
    this.#end(link);
    this.#parts.status.lost(why);
  }

  #end(link: Link): void {
    link.end.abort();
    link.client.disconnect();
    link.waitClient?.disconnect();
  }
}
