// How many calls may be under way: fewer after failures, more after each success. Pure.

/**
 * Additive increase, multiplicative decrease, as in TCP (RFC 5681): after an outage each process begins with one call,
 * so that a service that has just come back is not asked everything at once.
 */
export class SendWindow {
  readonly #most: number;
  #size: number;

  constructor(most: number) {
    this.#most = most;
    this.#size = most;
  }

  get size(): number {
    return this.#size;
  }

  succeeded(): void {
    this.#size = Math.min(this.#most, this.#size + 1);
  }

  failed(): void {
    this.#size = Math.max(1, Math.floor(this.#size / 2));
  }
}
