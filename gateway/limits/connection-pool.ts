// Open connections, of one client or of all, in the order in which they are closed to make room.

/** Connections by what they are doing. Every method but `open` ignores a connection that is not in the pool. */
export class ConnectionPool<Connection> {
  /** No whole request has arrived yet; the oldest first. */
  readonly #fresh = new Set<Connection>();
  /** Kept alive after an answer, without a request under way; the longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #busy = new Set<Connection>();

  get size(): number {
    return this.#fresh.size + this.#idle.size + this.#busy.size;
  }

  /**
   * The connection whose client loses least if it is closed. A client of an idle one connects again; a fresh one that
   * is the oldest has had the most time to send its request.
   * @returns undefined if every connection has a request under way
   */
  get spare(): Connection | undefined {
    const [idle] = this.#idle;
    const [fresh] = this.#fresh;
    return idle ?? fresh;
  }

  open(connection: Connection): void {
    this.#fresh.add(connection);
  }

  requested(connection: Connection): void {
    if (this.#fresh.delete(connection) || this.#idle.delete(connection)) this.#busy.add(connection);
  }

  /** No request is under way any more. */
  answered(connection: Connection): void {
    if (this.#busy.delete(connection)) this.#idle.add(connection);
  }

  close(connection: Connection): void {
    this.#fresh.delete(connection);
    this.#idle.delete(connection);
    this.#busy.delete(connection);
  }
}
