// Shards that one server owns at a time: that server, whether it is reached, and for how long it has been.

import { StoreUnavailable } from '../../../core/errors.js';
import { Reach } from '../../../core/reach.js';
import type { StoreClock } from '../store-clock.js';
import type { Server } from './server.js';

export class ShardGroup {
  /** The owner, or the last one; undefined: none has been known yet. */
  #server: Server | undefined;
  /** Where its slot is moving to: that server answers for a part of it, too. */
  #destination: Server | undefined;
  #why = 'Redis has not been reached yet';
  /** The clock of the last owner that was reached. */
  #clock: StoreClock | undefined;
  readonly #reach = new Reach();
  /** Whether writes are acknowledged: the owner is reached, and enough replicas have what is written. */
  readonly #acknowledging = new Reach();

  /** @throws StoreUnavailable before the first owner is known */
  get server(): Server {
    if (!this.#server) throw new StoreUnavailable('it is not known yet which Redis has this slot');
    return this.#server;
  }

  get destination(): Server | undefined {
    return this.#destination;
  }

  get servers(): readonly Server[] {
    return [this.#server, this.#destination].filter((server) => server !== undefined);
  }

  isOf(server: Server, destination: Server | undefined): boolean {
    return this.#server === server && this.#destination === destination;
  }

  /** Names all servers that answer for the group; another name: what was written may be missing. */
  get incarnation(): string | undefined {
    const owner = this.#server?.incarnation;
    return owner !== undefined && this.#destination ? `${owner} > ${this.#destination.incarnation}` : owner;
  }

  /** Why it cannot be reached; empty: it can. */
  get why(): string {
    return this.#why;
  }

  get wasReached(): boolean {
    return this.#server?.incarnation !== undefined;
  }

  /** Since when without a break, the owner's time, Unix ms; undefined: it is not reached. */
  get reachableSinceMs(): number | undefined {
    return this.#reach.sinceMs;
  }

  /** How long since a time (Unix ms) it was reached, and writes acknowledged, ms. */
  reachedMsSince(atMs: number): number {
    return this.#acknowledging.reachedMsSince(atMs, this.server.clock.now());
  }

  own(server: Server, destination: Server | undefined): void {
    this.#server = server;
    this.#destination = destination;
  }

  /**
   * Takes over whether the owner can be used.
   * @param noOwner why there is no owner; undefined: there is one
   */
  update(noOwner: string | undefined): void {
    const server = this.#server;
    this.#why = noOwner ?? server?.connection.why ?? '';
    // The time of an owner is not known before it is reached first. Until then that of the one before counts.
    if (server?.incarnation) this.#clock = server.clock;
    if (!server || !this.#clock) return;
    const nowMs = this.#clock.now();
    const isUp = this.#why === '';
    const { missingReplicasSinceMs } = server;
    const since = this.#reach.sinceMs;
    if (isUp && missingReplicasSinceMs === undefined) this.#acknowledging.reached(nowMs);
    else this.#acknowledging.lost(isUp && since !== undefined ? Math.max(missingReplicasSinceMs ?? 0, since) : nowMs);
    if (isUp) this.#reach.reached(nowMs);
    else this.#reach.lost(nowMs);
  }
}
