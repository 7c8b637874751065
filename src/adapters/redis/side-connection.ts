// A second connection to the same server, for commands that delay those after them.
//
// These are WAIT, and writes while Redis pauses writes. If it fails, only this connection is replaced, and reads
// continue.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { connect } from './client.js';
import { bounded, explain } from './failure.js';
import { readIncarnation } from './server-info.js';

export interface SideConnectionParts {
  readonly makeClient: () => Redis;
  /** The incarnation of the main connection's server; undefined: not known yet. */
  readonly incarnation: () => string | undefined;
  readonly connectTimeoutMs: number;
}

export class SideConnection {
  readonly #parts: SideConnectionParts;
  #opening: Promise<Redis> | undefined;
  #client: Redis | undefined;
  /** The incarnation of the server that this connection reached last. */
  #reached: string | undefined;
  #closed = false;

  constructor(parts: SideConnectionParts) {
    this.#parts = parts;
  }

  /** @throws StoreUnavailable; the server's own errors */
  async run<T>(commands: (client: Redis) => Promise<T>, limitMs: number): Promise<T> {
    try {
      return await bounded(
        this.#client ? commands(this.#client) : this.open().then(commands),
        limitMs,
        'an answer of Redis',
      );
    } catch (error) {
      // The server has answered: its error means the same as on the main connection.
      if (error instanceof Error && error.name === 'ReplyError') throw error;
      const { detail, severs } = explain(error);
      if (severs) this.#leave();
      throw new StoreUnavailable(detail);
    }
  }

  /**
   * Connects, if it is not connected. Call `check` afterwards if the incarnation was not known yet.
   * @throws StoreUnavailable
   */
  open(): Promise<Redis> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Several servers may share one address. @throws StoreUnavailable if this connection reached another server */
  check(): void {
    if (this.#reached !== undefined && this.#reached === this.#parts.incarnation()) return;
    throw new StoreUnavailable(
      'two connections to Redis did not reach the same server (another Redis), or it does not report its run_id (it must allow INFO)',
    );
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  async #open(): Promise<Redis> {
    if (this.#client) return this.#client;
    const { makeClient, incarnation, connectTimeoutMs } = this.#parts;
    const client = makeClient();
    try {
      const look = async (): Promise<void> => {
        this.#reached = await readIncarnation(client);
      };
      await bounded(connect(client, look), connectTimeoutMs, 'connecting to Redis');
      if (this.#closed || client.status !== 'ready') throw new StoreUnavailable('Redis closed the connection');
      if (incarnation() !== undefined) this.check();
    } catch (error) {
      client.disconnect();
      throw error;
    }
    client.once('close', () => {
      if (client === this.#client) this.#client = undefined;
    });
    this.#client = client;
    return client;
  }

  /** Disconnects; the next command connects again. Unanswered commands reject. */
  #leave(): void {
    this.#client?.disconnect();
    this.#client = undefined;
  }
}
