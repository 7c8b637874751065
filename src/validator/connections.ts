// The connections to all addresses of the service: which one the next call takes, and which ones rest after a failure.

import type { GetJsonWebKeySetResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { Connection } from './connection.js';
import { backOffMs, type Failure } from './retry.js';

interface Line {
  readonly connection: Connection;
  /** Failures in a row without any answer. */
  failures: number;
  /** No call is sent before this time, monotonic ms. */
  restsUntilMs: number;
}

export class Connections {
  readonly #lines: readonly Line[];
  readonly #random: () => number;
  #next = 0;

  /** @param random 0 to 1 */
  constructor(connections: readonly Connection[], random: () => number) {
    this.#lines = connections.map((connection) => ({ connection, failures: 0, restsUntilMs: 0 }));
    this.#random = random;
    // Processes that start together begin at different servers.
    this.#next = Math.floor(random() * connections.length);
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Those that may be called now, in turn: the first one is another each time. */
  available(nowMs: number): readonly Connection[] {
    const rested = this.#turned().filter(({ restsUntilMs }) => restsUntilMs <= nowMs);
    return rested.map(({ connection }) => connection);
  }

  /** Whether another one may be called now. */
  hasOther(than: Connection, nowMs: number): boolean {
    return this.#lines.some(({ connection, restsUntilMs }) => connection !== than && restsUntilMs <= nowMs);
  }

  /** When one may be called, monotonic ms; a time in the past: now. */
  get availableFromMs(): number {
    return Math.min(...this.#lines.map(({ restsUntilMs }) => restsUntilMs));
  }

  /** Fetches the public keys from the first server that answers. @throws ServiceCallFailed */
  async keySet(timeoutMs: number): Promise<GetJsonWebKeySetResponse> {
    let failure: unknown;
    for (const { connection } of this.#turned()) {
      try {
        return await connection.keySet(timeoutMs);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  answered(connection: Connection): void {
    const line = this.#lineOf(connection);
    line.failures = 0;
    line.restsUntilMs = 0;
  }

  /** After a failure without an answer the connection rests, longer each time. */
  failed(connection: Connection, failure: Failure, nowMs: number): void {
    const line = this.#lineOf(connection);
    if (failure.kind !== 'unreachable') {
      line.failures = 0;
      return;
    }
    // Calls that were under way together count once.
    if (line.restsUntilMs > nowMs) return;
    line.failures++;
    line.restsUntilMs = nowMs + backOffMs(failure, line.failures, this.#random());
  }

  close(): void {
    for (const { connection } of this.#lines) connection.close();
  }

  #turned(): readonly Line[] {
    const first = this.#next++ % this.#lines.length;
    return [...this.#lines.slice(first), ...this.#lines.slice(0, first)];
  }

  #lineOf(connection: Connection): Line {
    const line = this.#lines.find((each) => each.connection === connection);
    if (!line) throw new Error('the connection is not one of these');
    return line;
  }
}
