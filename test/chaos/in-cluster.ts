// The store of a chaos run that is a Redis Cluster, and its faults.

import { SHARDS, slotOf } from '../../src/adapters/redis/keys.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';
import { DURABLE, type Fault, type Last, LIMIT_MS, pausedForAMoment, type Replicated } from './replicated.js';
import { failoverUnderWait } from './under-wait.js';

export class InCluster implements Replicated {
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

  faults(random: Random, last: Last): Record<string, Fault> {
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
      'failover while acknowledgements wait': async () => {
        await world.settled(LIMIT_MS);
        const slot = someSlot();
        const server = await ownerOf(slot);
        const parts = {
          primary: server,
          replicas: await world.replicasOf(server),
          // It waits for nothing that the primary has: what the replica lacks is lost.
          plan: async (replica: RedisServer) => void replica.raw.call('CLUSTER', 'FAILOVER', 'FORCE').catch(() => {}),
          failedOver: () => world.failedOver(slot, server, LIMIT_MS),
        };
        await failoverUnderWait(parts, random, last);
        await world.settled(LIMIT_MS);
      },
    };
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }
}
