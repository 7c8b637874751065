// Owns the connection: makes it, looks at the server before it is used, keeps time with it, and replaces it when it fails.

import { randomUUID } from 'node:crypto';
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

/** A server that may be used now. */
export interface Found {
  /** Makes a client for one connection to it. */
  readonly makeClient: () => Redis;
  /** Asked for each answer of it, when that has come. @throws StoreUnavailable if what it says is not to be believed */
  readonly check: () => void;
}

export interface ConnectionParts {
  /** Finds the server, for each new connection. @throws StoreUnavailable if there is none that may be used */
  readonly find: () => Promise<Found>;
  /** Whether a second connection goes to the same server, for commands that hold up whatever comes after them. */
  readonly twofold: boolean;
  /** Asks whatever must be right before a connection is used, and as long as it is. @throws if it is not */
  readonly admit: (client: Redis) => Promise<void>;
  readonly clock: StoreClock;
  readonly reachability: Reachability;
  readonly commandTimeoutMs: number;
  /** How long it may take until a connection can be used, ms. */
  readonly connectTimeoutMs: number;
}

/** One connection, or two to one server, and the way to give them up. */
export interface Link extends Pick<Found, 'check'> {
  readonly client: Redis;
  /** For commands that wait. */
  readonly aside: Redis | undefined;
  /** The server's name for itself since its start, once it was asked. */
  incarnation: string | undefined;
  readonly end: AbortController;
}

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #link: Link | undefined;
  #incarnation: string | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#kept = this.#keep();
  }

  /** Which server answers, or was the last to; undefined: none has been reached yet. */
  get incarnation(): string | undefined {
    return this.#incarnation;
  }

  /**
   * Runs commands, for as long as a command may take, or for another time. Rejects at once while Redis cannot be reached: waiting would only move the queue into this process.
   * @throws StoreUnavailable
   */
  async run<T>(commands: (link: Link) => Promise<T>, limitMs = this.#parts.commandTimeoutMs): Promise<T> {
    const link = this.#link;
    const { reachability } = this.#parts;
    if (link === undefined || reachability.sinceMs === undefined) throw new StoreUnavailable(reachability.why);
    try {
      const answer = await bounded(commands(link), limitMs, 'an answer of Redis');
      link.check();
      return answer;
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
      let link: Link | undefined;
      try {
        link = this.#makeLink(await this.#parts.find());
        this.#link = link;
        await this.#enter(link);
        for (;;) {
          await sleep(SYNC_EVERY_MS, undefined, { ref: false, signal: link.end.signal });
          await this.#sync(link);
          delayMs = MIN_DELAY_MS;
        }
      } catch (error) {
        if (link) this.#leave(link, explain(error).detail);
        else this.#parts.reachability.lost(explain(error).detail);
      }
      // One that breaks as soon as it is made must not be made anew without pause.
      await sleep(delayMs, undefined, { signal }).catch(() => {});
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
    }
  }

  #makeLink({ makeClient, check }: Found): Link {
    const { twofold } = this.#parts;
    const aside = twofold ? makeClient() : undefined;
    return { client: makeClient(), aside, check, incarnation: undefined, end: new AbortController() };
  }

  /** Connects, and looks at the server before anybody uses it. All of it is bounded: a paused one accepts, and is mute. */
  async #enter(link: Link): Promise<void> {
    const { admit, reachability, connectTimeoutMs } = this.#parts;
    const { client, aside } = link;
    const clients = aside ? [client, aside] : [client];
    const entered = async () => {
      await this.#keepTime(link);
      await admit(client);
    };
    const what = client.options.tls ? 'connecting to Redis by TLS' : 'connecting to Redis';
    const both = Promise.all([connect(client, entered), aside && this.#enterAside(aside)]);
    const [, asideIncarnation] = await bounded(both, connectTimeoutMs, what);
    // What one server has answered another cannot vouch for: behind one address there may be several.
    if (aside && asideIncarnation !== link.incarnation) {
      throw new StoreUnavailable(
        'two connections to Redis did not reach the same server, or it does not tell its name (it must allow INFO)',
      );
    }
    if (link.end.signal.aborted || clients.some(({ status }) => status !== 'ready')) {
      throw new StoreUnavailable('Redis closed the connection');
    }
    link.check();
    for (const each of clients) each.once('close', () => this.#leave(link, 'Redis closed the connection'));
    this.#incarnation = link.incarnation;
    reachability.reached();
  }

  /** @returns which server it has reached */
  async #enterAside(aside: Redis): Promise<string | undefined> {
    let incarnation: string | undefined;
    await connect(aside, async () => {
      ({ incarnation } = await ask(aside));
    });
    return incarnation;
  }

  /** Takes over the server's time, if it still is the one that it was. */
  #keepTime(link: Link): Promise<void> {
    return this.#parts.clock.sync(async () => {
      const { timeMs, incarnation } = await ask(link.client);
      // One that does not tell its name counts as another with each connection.
      link.incarnation ??= incarnation ?? randomUUID();
      if (incarnation === undefined || incarnation === link.incarnation) return timeMs;
      throw new StoreUnavailable('Redis has followed another primary in between, and may have lost what it was told');
    });
  }

  async #sync(link: Link): Promise<void> {
    const { admit, commandTimeoutMs } = this.#parts;
    // At once, so that a server that is slow but in time for calls is in time for this, too.
    const looked = Promise.all([this.#keepTime(link), admit(link.client)]);
    await bounded(looked, commandTimeoutMs, 'an answer of Redis');
    link.check();
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
    link.aside?.disconnect();
  }
}
