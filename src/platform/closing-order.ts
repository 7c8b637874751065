// Open connections in the order in which they would be closed to make room.

import { LinkedSet } from '../collections/linked-set.js';

/** Connections by state. Every method except `open` ignores a connection that is not known. */
export class ClosingOrder<Connection> {
  /** No complete request has arrived yet; the oldest first. */
  readonly #fresh = new LinkedSet<Connection>();
  /** Kept alive after a response, without a request under way; the longest idle first. */
  readonly #idle = new LinkedSet<Connection>();
  readonly #busy = new Set<Connection>();

  get size(): number {
    return this.#fresh.size + this.#idle.size + this.#busy.size;
  }

  /**
   * The connection to close first. The client of an idle connection can connect again; the oldest fresh connection has
   * had the most time to send its request.
   * @returns undefined if every connection has a request under way
   */
  get spare(): Connection | undefined {
    return this.#idle.oldest ?? this.#fresh.oldest;
  }

  open(connection: Connection): void {
    this.#fresh.add(connection);
  }

  requested(connection: Connection): void {
    if (this.#fresh.delete(connection) || this.#idle.delete(connection)) this.#busy.add(connection);
  }

  /** Call it when the connection has no request under way any more. */
  answered(connection: Connection): void {
    if (this.#busy.delete(connection)) this.#idle.add(connection);
  }

  close(connection: Connection): void {
    this.#fresh.delete(connection);
    this.#idle.delete(connection);
    this.#busy.delete(connection);
  }
}
