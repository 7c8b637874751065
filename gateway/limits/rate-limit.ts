// Owns the count of what each client has asked for in a window of time, in memory that does not grow.

/** How often one client may ask. */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** What is known of a client once one more request of it was counted, or was one too many. */
export interface Counted {
  readonly allowed: boolean;
  /** How many more it may send until the window ends. */
  readonly remaining: number;
  /** When the window ends, in whole seconds from now, at least 1. */
  readonly resetSeconds: number;
}

/** How many clients are counted each by itself; some 250 bytes a client. */
const MOST_CLIENTS = 10_000;

/**
 * Counts requests by client. A window is of all clients together: it begins with the first request after the last one's
 * end, and then all counts are zero.
 *
 * When the table is full a newcomer takes the place of a client that has asked least, and that one's count with it
 * ("Space-Saving", Metwally, Agrawal, El Abbadi 2005). So a count is never too low, whoever floods us from however many
 * addresses: to have one's own count forgotten, or another's, is not to be had. It may be too high, by no more than all
 * requests of the window divided by the size of the table.
 */
export class RateCounter {
  readonly #limit: RateLimit;
  readonly #nowMs: () => number;
  readonly #mostClients: number;
  readonly #counts = new Map<string, number>();
  /** The clients of each count. */
  readonly #groups = new Map<number, Set<string>>();
  /** No count in the table is below this one, once the table is full. */
  #least = 1;
  #endsMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs a clock that only goes forward */
  constructor(limit: RateLimit, nowMs: () => number, mostClients = MOST_CLIENTS) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#mostClients = mostClients;
  }

  /** How many clients are in the table. */
  get size(): number {
    return this.#counts.size;
  }

  count(client: string): Counted {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#endsMs) this.#begin(nowMs);
    const { requests } = this.#limit;
    const sofar = this.#counts.get(client) ?? this.#inherited();
    const allowed = sofar < requests;
    if (allowed) this.#put(client, sofar + 1);
    return {
      allowed,
      remaining: allowed ? requests - sofar - 1 : 0,
      resetSeconds: Math.max(1, Math.ceil((this.#endsMs - nowMs) / 1000)),
    };
  }

  #begin(nowMs: number): void {
    this.#counts.clear();
    this.#groups.clear();
    this.#least = 1;
    this.#endsMs = nowMs + this.#limit.windowMs;
  }

  /** The count that a newcomer starts from. */
  #inherited(): number {
    if (this.#counts.size < this.#mostClients) return 0;
    while (!this.#groups.has(this.#least)) this.#least += 1;
    return this.#least;
  }

  #put(client: string, count: number): void {
    const before = this.#groups.get(count - 1);
    // A newcomer with a count to take over takes it from the one that came to it first.
    const leaving = this.#counts.has(client) ? client : before?.values().next().value;
    if (leaving !== undefined && count > 1) {
      this.#counts.delete(leaving);
      before?.delete(leaving);
      if (before?.size === 0) this.#groups.delete(count - 1);
    }
    this.#counts.set(client, count);
    const group = this.#groups.get(count);
    if (group) group.add(client);
    else this.#groups.set(count, new Set([client]));
  }
}
