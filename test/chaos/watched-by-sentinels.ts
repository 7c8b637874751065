// The store of a chaos run that Sentinels watch, and its faults.

import { SentinelWorld } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';
import { DURABLE, type Fault, type Last, LIMIT_MS, pausedForAMoment, type Replicated } from './replicated.js';
import { failoverUnderWait } from './under-wait.js';

export class WatchedBySentinels implements Replicated {
  readonly #world: SentinelWorld;

  private constructor(world: SentinelWorld) {
    this.#world = world;
  }

  static async make(): Promise<Replicated> {
    const world = await SentinelWorld.start({ settings: DURABLE });
    await world.hasten();
    return new WatchedBySentinels(world);
  }

  get url(): string {
    return this.#world.url;
  }

  faults(random: Random, last: Last): Record<string, Fault> {
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
      'failover while acknowledgements wait': async () => {
        await world.settled(LIMIT_MS);
        const server = await primary();
        const parts = {
          primary: server,
          replicas: world.servers.filter((each) => each !== server),
          plan: () => world.planFailover(),
          failedOver: () => world.failedOver(server, LIMIT_MS),
        };
        await failoverUnderWait(parts, random, last);
        // Until a replica follows the new primary nothing is acknowledged.
        await world.settled(LIMIT_MS);
      },
    };
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }
}
