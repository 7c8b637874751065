// The store of a chaos run that Sentinels watch, and its faults.

import { SentinelWorld } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import {
  DURABLE,
  type Fault,
  LEASES_OVER_MS,
  LIMIT_MS,
  pausedForAMoment,
  type Replicated,
  type Tools,
} from './replicated.js';
import { SentinelViews } from './sentinel-views.js';
import { failoverUnderWait, UNDER_WAIT } from './under-wait.js';

export const CLOCKS_STEPPED = 'sentinel clocks stepped during a failover';

export class WatchedBySentinels implements Replicated {
  readonly #world: SentinelWorld;
  /** What each node of the service sees of them. */
  readonly #views: readonly [SentinelViews, SentinelViews];

  private constructor(world: SentinelWorld, views: readonly [SentinelViews, SentinelViews]) {
    this.#world = world;
    this.#views = views;
  }

  static async make(): Promise<Replicated> {
    const world = await SentinelWorld.start({ settings: DURABLE });
    await world.hasten();
    return new WatchedBySentinels(world, [await SentinelViews.start(world), await SentinelViews.start(world)]);
  }

  urlAt(node: number): string {
    return (this.#views[node] ?? this.#views[0]).url;
  }

  async primaryOf(): Promise<RedisServer> {
    await this.#world.settled(LIMIT_MS);
    const server = await this.#world.primary();
    if (!server) throw new Error('the Sentinels do not agree on a primary');
    return server;
  }

  faults(tools: Tools): Record<string, Fault> {
    const { random, last, withoutNode } = tools;
    const world = this.#world;
    const views = this.#views;
    const primary = async (): Promise<RedisServer> => {
      const server = await world.primary();
      if (!server) throw new Error('the Sentinels do not agree on a primary');
      return server;
    };
    /** Who is the primary, and the one replica that may be promoted. */
    const succession = async () => {
      await world.settled(LIMIT_MS);
      const old = await primary();
      const heir = random.pick(world.servers.filter((server) => server !== old));
      const others = world.servers.filter((server) => server !== old && server !== heir);
      await world.avoid(others);
      return { old, heir, others };
    };
    /** Until replicas follow the new primary nothing is acknowledged. */
    const settledAgain = async (): Promise<void> => {
      await world.settled(LIMIT_MS);
      await world.avoid([]);
    };
    /**
     * For planned failovers, which lose what the old primary takes meanwhile: no server confirms that to it, since those
     * that are not promoted are paused until they are to follow the new one.
     */
    const withoutConfirmation = async (
      others: readonly RedisServer[],
      [from, to]: readonly [from: RedisServer, to: RedisServer],
      work: () => Promise<unknown>,
    ): Promise<void> => {
      for (const server of others) server.pause();
      await work();
      const following = others.map(({ raw }) => raw.replicaof('127.0.0.1', to.port));
      await from.raw.call('CLIENT', 'KILL', 'TYPE', 'replica');
      for (const server of others) server.resume();
      await Promise.all(following);
    };
    /** A planned failover. @param meanwhile called as soon as most Sentinels name the new primary */
    const planned = async (meanwhile: () => Promise<void>): Promise<void> => {
      const { old, heir, others } = await succession();
      await withoutConfirmation(others, [old, heir], async () => {
        await world.promote(heir);
        await meanwhile();
      });
      await last(1_500, 3_000);
      await settledAgain();
    };
    return {
      'primary killed': async () => {
        await world.settled(LIMIT_MS);
        const server = await primary();
        await server.kill();
        await world.failedOver(server, LIMIT_MS);
        await last(0, 1_500);
        await server.restart();
        await world.settled(LIMIT_MS);
      },
      'primary paused, and woken after the failover': async () => {
        await world.settled(LIMIT_MS);
        const server = await primary();
        server.pause();
        await world.failedOver(server, LIMIT_MS);
        await last(0, 3_000);
        server.resume();
        await world.settled(LIMIT_MS);
      },
      'primary paused for a moment': async () => pausedForAMoment(await primary(), last),
      'primary cut connections': async () => (await primary()).cutConnections(),
      'sentinel killed': async () => {
        const sentinel = random.pick(world.sentinels);
        await sentinel.kill();
        await last(500, 2_500);
        await sentinel.restart();
      },
      [UNDER_WAIT]: async () => {
        const { old, heir, others } = await succession();
        const plan = () => world.planFailover(heir);
        const failedOver = () => world.failedOver(old, LIMIT_MS);
        await failoverUnderWait({ primary: old, heir, others, plan, failedOver }, tools);
        await settledAgain();
      },
      'failed over and back': async () => {
        const { old, heir, others } = await succession();
        // One Sentinel learns of it late.
        const late = random.pick([undefined, ...world.sentinels.slice(1)]);
        await withoutConfirmation(others, [heir, old], async () => {
          const away = late && pausedForAMoment(late, last);
          await Promise.all([world.promote(heir), away]);
          if (random.chance(0.5)) await old.raw.replicaof('127.0.0.1', heir.port);
          await world.promote(old);
          // The other replicas got the order to follow the heir, and may follow it for a moment.
          await last(LEASES_OVER_MS, LEASES_OVER_MS + 500);
        });
        await settledAgain();
      },
      'planned failover': () => planned(async () => {}),
      // Until then the node uses the primary that its Sentinels named before.
      'planned failover that a node learns of late': async () => {
        const view = random.pick(views);
        await planned(async () => view.hold());
        view.mend();
      },
      // A node that starts must not take it from a Sentinel's clock that the primary has been one for long.
      [CLOCKS_STEPPED]: async () => {
        const [starts, late] = random.pick([[0, views[1]] as const, [1, views[0]] as const]);
        const stepMs = random.pick([1_600, 60_000, -1_600, -60_000]);
        const step = (byMs: number): void => {
          for (const view of views) view.stepClocks(byMs);
        };
        const failedOver = planned(async () => {
          step(stepMs);
          if (random.chance(0.5)) late.hold();
        });
        await Promise.all([failedOver, withoutNode(starts, () => last(0, 600))]);
        late.mend();
        step(-stepMs);
      },
      'sentinels cut off from a node': async () => {
        const view = random.pick(views);
        view.hold();
        await last(200, 3_000);
        view.mend();
      },
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#views.map((view) => view.stop()));
    await this.#world.stop();
  }
}
