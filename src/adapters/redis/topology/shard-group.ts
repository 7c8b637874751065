// A group of shards with one owner: that server, whether it is reachable, and its outages.

import { OutageLog } from '../../../core/durability/outage-log.js';
import { StoreUnavailable } from '../../../core/errors.js';
import { type WaitWrite, waitWriteOf } from '../replicas.js';
import type { StoreClock } from '../store-clock.js';
import type { Server } from './server.js';

export class ShardGroup {
  /** The owner, or the last one; undefined: there was none yet. */
  #server: Server | undefined;
  /** The server that the slot is moving to, which answers for a part of it. */
  #destination: Server | undefined;
  #why = 'Redis has not been reached yet';
  /** The clock of the last owner that was reached. */
  #clock: StoreClock | undefined;
  /** The highest time of the owners before, Unix ms. */
  #latestMs = 0;
  readonly #reach = new OutageLog();
  /** Reachability for writes: the owner is reachable, and enough replicas confirm. */
  readonly #acknowledging = new OutageLog();

  /** @throws StoreUnavailable before the first owner is known */
  get server(): Server {
    if (!this.#server) throw new StoreUnavailable('it is not known yet which Redis owns this slot');
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

  /** Identifies all servers that answer for the group. After a change writes may be lost. */
  get incarnation(): string | undefined {
    const owner = this.#server?.connection.incarnation;
    return owner !== undefined && this.#destination ? `${owner} > ${this.#destination.connection.incarnation}` : owner;
  }

  /** Why it is not reachable; empty: it is reachable. */
  get why(): string {
    return this.#why;
  }

  get wasReached(): boolean {
    return this.#server?.connection.incarnation !== undefined;
  }

  /**
   * The time since which it is reachable without a break, the owner's time, Unix ms; undefined: it is not reachable.
   */
  get reachableSinceMs(): number | undefined {
    return this.#reach.sinceMs;
  }

  /** The highest time of any owner, Unix ms; 0: none was reached. */
  get latestMs(): number {
    return Math.max(this.#latestMs, this.#clock?.latestMs ?? 0);
  }

  /** How long since a time (Unix ms) it was reachable and writes could be acknowledged, ms. */
  reachedMsSince(atMs: number): number {
    return this.#acknowledging.reachedMsSince(atMs, this.server.clock.now());
  }

  own(server: Server, destination: Server | undefined): void {
    this.#server = server;
    this.#destination = destination;
  }

  /**
   * Updates the reachability from the owner's connection and replicas.
   * @param noOwner why there is no owner; undefined: there is one
   */
  update(noOwner: string | undefined): void {
    const server = this.#server;
    this.#why = noOwner ?? server?.connection.why ?? '';
    // An owner's time is not known before the first contact. Until then the clock of the one before counts.
    if (server?.connection.incarnation && this.#clock !== server.clock) {
      this.#latestMs = this.latestMs;
      this.#clock = server.clock;
    }
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

/** The dummy writes before WAIT that a server may accept: one for each shard that it owns, or that is moving to it. */
export const waitWritesOf = (server: Server, groups: readonly ShardGroup[]): readonly WaitWrite[] =>
  groups.flatMap((group, shard) => {
    if (group.servers[0] === server) return [waitWriteOf(shard, false)];
    return group.destination === server ? [waitWriteOf(shard, true)] : [];
  });
