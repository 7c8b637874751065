// Owns the stores of a chaos run that have replicas: what they are made of, and the faults that only they can have.

import { SHARDS, slotOf } from '../../src/adapters/redis/keys.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import { SentinelWorld } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';

/** What is acknowledged is on the disk. */
const DURABLE = ['appendonly yes', 'appendfsync always'];
/** Longer than a failover may take on a slow machine, ms. */
const LIMIT_MS = 25_000;

export type ReplicatedKind = 'sentinel' | 'cluster';

export interface Replicated {
  readonly url: string;
  /** Does something bad, and undoes it, by its name. @param last waits for a while between so many ms */
  faults(random: Random, last: (least: number, most: number) => Promise<void>): Record<string, () => Promise<void>>;
  stop(): Promise<void>;
}

export const startReplicated = (kind: ReplicatedKind): Promise<Replicated> =>
  kind === 'sentinel' ? WatchedBySentinels.make() : InCluster.make();

class WatchedBySentinels implements Replicated {
  readonly #world: SentinelWorld;

  private constructor(world: SentinelWorld) {
    this.#world = world;
  }

  static async make(): Promise<Replicated> {
    return new WatchedBySentinels(await SentinelWorld.start({ settings: DURABLE }));
  }

  get url(): string {
    return this.#world.url;
  }

  faults(random: Random, last: (least: number, most: number) => Promise<void>): Record<string, () => Promise<void>> {
    const world = this.#world;
    const primary = async (): Promise<RedisServer> => {
      const server = await world.primary();
      if (!server) throw new Error('the Sentinels do not agree on a primary');
      return server;
    };
    return {
      'primary killed': async () => {
        await world.settled(LIMIT_MS);
        const server = await primary();
        await server.kill();
        await world.failedOver(server, LIMIT_MS);
        await last(0, 1_500);
        await server.restart();
      },
      'primary paused, and woken after the failover': async () => {
        await world.settled(LIMIT_MS);
        const server = await primary();
        server.pause();
        await world.failedOver(server, LIMIT_MS);
        await last(0, 3_000);
        server.resume();
      },
      'primary paused for a moment': () => pausedForAMoment(primary(), last),
      'primary cut connections': async () => (await primary()).cutConnections(),
      'sentinel killed': async () => {
        const sentinel = random.pick(world.sentinels);
        await sentinel.kill();
        await last(500, 2_500);
        await sentinel.restart();
      },
    };
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }
}

class InCluster implements Replicated {
  readonly #world: ClusterWorld;

  private constructor(world: ClusterWorld) {
    this.#world = world;
  }

  static async make(): Promise<Replicated> {
    return new InCluster(await ClusterWorld.start({ settings: DURABLE }));
  }

  get url(): string {
    return this.#world.url;
  }

  faults(random: Random, last: (least: number, most: number) => Promise<void>): Record<string, () => Promise<void>> {
    const world = this.#world;
    const someSlot = (): number => slotOf(Math.floor(random.between(0, SHARDS)));
    const ownerOf = (slot: number): Promise<RedisServer> => world.agreedOwnerOf(slot, LIMIT_MS);
    return {
      'primary killed': async () => {
        const slot = someSlot();
        const server = await ownerOf(slot);
        await server.kill();
        await world.failedOver(slot, server, LIMIT_MS);
        await last(0, 1_500);
        await server.restart();
        // Until somebody follows the new primary nothing is acknowledged.
        await world.settled(LIMIT_MS);
      },
      'primary paused, and woken after the failover': async () => {
        const slot = someSlot();
        const server = await ownerOf(slot);
        server.pause();
        await world.failedOver(slot, server, LIMIT_MS);
        await last(0, 3_000);
        server.resume();
        await world.settled(LIMIT_MS);
      },
      'primary paused for a moment': () => pausedForAMoment(ownerOf(someSlot()), last),
      'primary cut connections': async () => (await ownerOf(someSlot())).cutConnections(),
      'slots migrated': async () => {
        await world.settled(LIMIT_MS);
        for (let n = 0; n < 4; n++) {
          const slot = someSlot();
          const from = await ownerOf(slot);
          const owners = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => ownerOf(slotOf(shard))));
          const to = random.pick([...new Set(owners)].filter((server) => server !== from));
          await world.migrate(slot, to, () => last(100, 800));
          await world.settled(LIMIT_MS);
        }
      },
    };
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }
}

/** Shorter than what a failover waits for. */
async function pausedForAMoment(
  primary: Promise<RedisServer>,
  last: (least: number, most: number) => Promise<void>,
): Promise<void> {
  const server = await primary;
  server.pause();
  await last(100, 900);
  server.resume();
}
