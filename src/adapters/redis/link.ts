// The connections to one server that open and end together: the main one for reads, one for writes, one for WAIT.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { connect } from './client.js';
import { bounded } from './failure.js';
import { SideConnection } from './side-connection.js';

/** The connection that a command uses: reads the main one, the others a side connection each. */
export type Use = 'read' | 'write' | 'wait';

export interface LinkParts {
  readonly makeClient: () => Redis;
  /** Whether a second connection to the same server is needed for WAIT. */
  readonly needsWait: boolean;
  /** The time limit for connecting and checking, ms. */
  readonly connectTimeoutMs: number;
}

export class Link {
  /** The main connection. */
  readonly client: Redis;
  /** The server's incarnation; undefined: not read yet. */
  incarnation: string | undefined;
  /**
   * Whether the server reports its incarnation. If not, a side connection cannot prove that it reaches the same server.
   */
  isNamed = false;
  readonly #parts: LinkParts;
  readonly #write: SideConnection;
  readonly #wait: SideConnection;
  readonly #ending = new AbortController();

  constructor(parts: LinkParts) {
    const { makeClient, connectTimeoutMs } = parts;
    const side = () => new SideConnection({ makeClient, connectTimeoutMs, incarnation: () => this.incarnation });
    this.#parts = parts;
    this.client = makeClient();
    this.#write = side();
    this.#wait = side();
  }

  /** Aborted once the link has ended. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /**
   * Connects and checks the server, within a time limit: a paused server accepts connections but does not answer.
   * @param check sets `incarnation`
   * @throws StoreUnavailable; what `check` throws
   */
  async open(check: () => Promise<void>): Promise<void> {
    const { needsWait, connectTimeoutMs } = this.#parts;
    const what = this.client.options.tls ? 'connecting to Redis by TLS' : 'connecting to Redis';
    const connected = connect(this.client, check);
    await bounded(Promise.all([connected, needsWait && this.#wait.open()]), connectTimeoutMs, what);
    if (needsWait) this.#wait.check();
    if (this.ended.aborted || this.client.status !== 'ready') throw new StoreUnavailable('Redis closed the connection');
  }

  /** Runs commands within a time limit. @throws the driver's and the server's errors, NoAnswer, StoreUnavailable */
  run<T>(use: Use, commands: (client: Redis) => Promise<T>, limitMs: number): Promise<T> {
    if (use === 'wait') return this.#wait.run(commands, limitMs);
    if (use === 'write' && this.isNamed) return this.#write.run(commands, limitMs);
    return bounded(commands(this.client), limitMs, 'an answer of Redis');
  }

  /** Disconnects. Unanswered commands reject. */
  end(): void {
    this.#ending.abort();
    this.client.disconnect();
    this.#write.close();
    this.#wait.close();
  }
}
