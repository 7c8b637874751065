// The store of a chaos run that is a Redis Cluster, and its faults.

import { SHARDS, slotOf } from '../../src/adapters/redis/keys.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import type { RedisServer } from '../support/redis-server.js';
import type { SlotMigration } from '../support/slot-migration.js';
import {
  DURABLE,
  type Fault,
  LEASES_OVER_MS,
  LIMIT_MS,
  pausedForAMoment,
  type Replicated,
  type Tools,
} from './replicated.js';
import { failoverUnderWait, UNDER_WAIT } from './under-wait.js';

const SLOTS_MIGRATED = 'slots migrated';
const SCALED_OUT = 'scaled out to a fresh node, and back';
/** A slot that moves is none that fails. */
export const UNNOTICED: readonly string[] = [SLOTS_MIGRATED, SCALED_OUT];
/** How many slots go to a fresh node, of those that have keys of ours. */
const TO_FRESH_NODE = 24;
/** How many migrations are cancelled at once. */
const CANCELLED = 8;

export class InCluster implements Replicated {
  readonly #world: ClusterWorld;

  private constructor(world: ClusterWorld) {
    this.#world = world;
  }

  static async make(): Promise<Replicated> {
    return new InCluster(await ClusterWorld.start({ settings: DURABLE }));
  }

  urlAt(): string {
    return this.#world.url;
  }

  primaryOf(shard: number): Promise<RedisServer> {
    return this.#world.agreedOwnerOf(slotOf(shard), LIMIT_MS);
  }

  faults(tools: Tools): Record<string, Fault> {
    const { random, last } = tools;
    const world = this.#world;
    const someSlot = (): number => slotOf(Math.floor(random.between(0, SHARDS)));
    const someSlots = (count: number): number[] =>
      random.shuffled(Array.from({ length: SHARDS }, (_, shard) => slotOf(shard))).slice(0, count);
    const ownerOf = (slot: number): Promise<RedisServer> => world.agreedOwnerOf(slot, LIMIT_MS);
    /** The other nodes that have slots of ours. */
    const othersThan = async (owner: RedisServer): Promise<RedisServer[]> => {
      const slots = Array.from({ length: SHARDS }, (_, shard) => slotOf(shard));
      return [...new Set(await world.agreedOwnersOf(slots, LIMIT_MS))].filter((server) => server !== owner);
    };
    /** Moves slots, all at once. */
    const migrated = async (moves: readonly (readonly [slot: number, to: RedisServer])[]): Promise<void> => {
      const migrations = await Promise.all(moves.map(([slot, to]) => world.beginMigration(slot, to)));
      await Promise.all(migrations.map((migration) => migration.move(1)));
      await last(500, 2_000);
      for (const migration of migrations) {
        await migration.finish();
        await last(20, 100);
      }
    };
    /** Until the takeover delay is over nothing is answered for the slots of a new primary. */
    const takenOver = async (failedOverMs: number): Promise<void> => {
      const leftMs = failedOverMs + LEASES_OVER_MS - performance.now();
      if (leftMs > 0) await last(leftMs, leftMs);
    };
    return {
      'primary killed': async () => {
        const slot = someSlot();
        const server = await ownerOf(slot);
        await server.kill();
        await world.failedOver(slot, server, LIMIT_MS);
        const failedOverMs = performance.now();
        await last(0, 1_500);
        await server.restart();
        // Until a replica follows the new primary nothing is acknowledged.
        await world.settled(LIMIT_MS);
        await takenOver(failedOverMs);
      },
      'primary paused, and woken after the failover': async () => {
        const slot = someSlot();
        const server = await ownerOf(slot);
        server.pause();
        await world.failedOver(slot, server, LIMIT_MS);
        const failedOverMs = performance.now();
        await last(0, 3_000);
        server.resume();
        await world.settled(LIMIT_MS);
        await takenOver(failedOverMs);
      },
      'primary paused for a moment': async () => pausedForAMoment(await ownerOf(someSlot()), last),
      'primary cut connections': async () => (await ownerOf(someSlot())).cutConnections(),
      [SLOTS_MIGRATED]: async () => {
        await world.settled(LIMIT_MS);
        for (let n = 0; n < 4; n++) {
          const slot = someSlot();
          const from = await ownerOf(slot);
          await world.migrate(slot, random.pick(await othersThan(from)), () => last(100, 800));
          await world.settled(LIMIT_MS);
        }
      },
      'failed over and back': async () => {
        await world.settled(LIMIT_MS);
        const slot = someSlot();
        const old = await ownerOf(slot);
        await world.planFailover(slot, random.pick(await world.replicasOf(old)));
        await last(0, 1_500);
        await world.planFailover(slot, old);
        // Until the takeover delay is over nothing is answered for these slots.
        await last(LEASES_OVER_MS, LEASES_OVER_MS + 500);
        await world.settled(LIMIT_MS);
      },
      [SCALED_OUT]: async () => {
        await world.settled(LIMIT_MS);
        const [fresh, ...replicas] = await world.addPrimary(1);
        const moved = someSlots(TO_FRESH_NODE);
        const owners = await world.agreedOwnersOf(moved, LIMIT_MS);
        await migrated(moved.map((slot) => [slot, fresh]));
        await last(0, 1_000);
        const back = moved.map((slot, n) => [slot, owners[n] ?? fresh] as const);
        await migrated(back.slice(1));
        // The last slot by itself, and at once: nothing can be acknowledged while all slots of a node are moving away.
        for (const [slot, owner] of back.slice(0, 1)) await world.migrate(slot, owner);
        await last(LEASES_OVER_MS, LEASES_OVER_MS + 500);
        await world.remove(fresh, ...replicas);
      },
      'migrations cancelled': async () => {
        await world.settled(LIMIT_MS);
        const migrations: SlotMigration[] = [];
        for (const slot of someSlots(CANCELLED)) {
          const to = random.pick(await othersThan(await ownerOf(slot)));
          migrations.push(await world.beginMigration(slot, to));
        }
        for (const migration of migrations) {
          if (random.chance(0.7)) await migration.move(Math.ceil(random.between(0, 20)));
        }
        await last(200, 1_500);
        // Without the keys that are still at the other node no answer is right.
        const ends = new Set(migrations.flatMap(({ from, to }) => [from, to]));
        await withoutScripts([...ends], async () => {
          for (const migration of migrations) await migration.cancel();
        });
        await world.settled(LIMIT_MS);
      },
      [UNDER_WAIT]: async () => {
        await world.settled(LIMIT_MS);
        const slot = someSlot();
        const server = await ownerOf(slot);
        const [heir, ...others] = await world.replicasOf(server);
        if (!heir) throw new Error('a primary of the cluster has no replica');
        // It waits for nothing that the primary has: what the replica lacks is lost.
        const plan = async () => void heir.raw.call('CLUSTER', 'FAILOVER', 'FORCE').catch(() => {});
        const failedOver = () => world.failedOver(slot, server, LIMIT_MS);
        const parts = { primary: server, heir, others, plan, failedOver };
        await failoverUnderWait(parts, tools);
        await world.settled(LIMIT_MS);
      },
    };
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }
}

/** Keeps the nodes of the service from some servers meanwhile. */
async function withoutScripts(servers: readonly RedisServer[], work: () => Promise<void>): Promise<void> {
  const set = (right: string) => Promise.all(servers.map(({ raw }) => raw.call('ACL', 'SETUSER', 'default', right)));
  await set('-@scripting');
  try {
    await work();
  } finally {
    await set('+@scripting');
  }
}
