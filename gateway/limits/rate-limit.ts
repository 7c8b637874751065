// The number of requests of each client in a window of time, counted in bounded memory.

import { type Linked, LinkedList } from '../../src/collections/linked-list.js';

/** How many requests one client may send in a window. */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** The state of a client's limit after a request. */
export interface ClientCount {
  readonly allowed: boolean;
  /** How many more requests the client may send until the window ends. */
  readonly remaining: number;
  /** When the window ends, in whole seconds from now, at least 1. */
  readonly resetSeconds: number;
}

interface Client extends Linked<Client> {
  readonly name: string;
  count: number;
}

/** How many clients have counts of their own; about 250 bytes each. */
const MOST_CLIENTS = 10_000;

/**
 * Counts requests by client. All clients share one window. It begins with the first request after the end of the one
 * before, with all counts at zero.
 *
 * When the table is full, a new client replaces a client with the lowest count and takes over that count
 * ("Space-Saving", Metwally, Agrawal, El Abbadi 2005). So a count is never too low: a flood from many addresses cannot
 * erase a count. A count may be too high, by at most the requests of the window divided by the size of the table.
 */
export class RateCounter {
  readonly #limit: RateLimit;
  readonly #nowMs: () => number;
  readonly #mostClients: number;
  readonly #clients = new Map<string, Client>();
  /** The clients by count; of each group, the one that reached the count first is the oldest. */
  readonly #groups = new Map<number, LinkedList<Client>>();
  /** The lowest count in the table; valid when the table is full. */
  #least = 1;
  #endsMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs a monotonic clock */
  constructor(limit: RateLimit, nowMs: () => number, mostClients = MOST_CLIENTS) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#mostClients = mostClients;
  }

  /** How many clients are in the table. */
  get size(): number {
    return this.#clients.size;
  }

  count(client: string): ClientCount {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#endsMs) this.#begin(nowMs);
    const { requests } = this.#limit;
    const sofar = this.#clients.get(client)?.count ?? this.#inherited();
    const allowed = sofar < requests;
    if (allowed) this.#put(client, sofar + 1);
    return {
      allowed,
      remaining: allowed ? requests - sofar - 1 : 0,
      resetSeconds: Math.max(1, Math.ceil((this.#endsMs - nowMs) / 1000)),
    };
  }

  #begin(nowMs: number): void {
    this.#clients.clear();
    this.#groups.clear();
    this.#least = 1;
    this.#endsMs = nowMs + this.#limit.windowMs;
  }

  /** The count that a new client starts from. */
  #inherited(): number {
    if (this.#clients.size < this.#mostClients) return 0;
    while (!this.#groups.has(this.#least)) this.#least += 1;
    return this.#least;
  }

  #put(name: string, count: number): void {
    const known = this.#clients.get(name);
    // A new client replaces the client that reached this count first.
    const leaving = known ?? this.#groups.get(count - 1)?.oldest;
    if (leaving) this.#remove(leaving);
    const client: Client = known ?? { name, count, older: undefined, newer: undefined };
    client.count = count;
    this.#clients.set(name, client);
    const group = this.#groups.get(count) ?? new LinkedList<Client>();
    group.append(client);
    this.#groups.set(count, group);
  }

  #remove(client: Client): void {
    this.#clients.delete(client.name);
    const group = this.#groups.get(client.count);
    group?.remove(client);
    if (group?.size === 0) this.#groups.delete(client.count);
  }
}
