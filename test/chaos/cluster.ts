// What a chaos run is made against: two nodes on one store, and where that is Redis a proxy before each of them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';
import { InCluster } from './in-cluster.js';
import { ChaosNode } from './node.js';
import type { Replicated } from './replicated.js';
import { WatchedBySentinels } from './watched-by-sentinels.js';

/** What is acknowledged is on the disk. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Short enough for every end to come within seconds. */
export const GRACE_MS = 2_000;
const POLICY = { ACCESS_TTL: '6s', REFRESH_TTL: '12s', SESSION_MAX: '25s', REFRESH_GRACE: `${GRACE_MS}ms` };

export const STORES = ['redis', 'lmdb', 'sentinel', 'cluster'] as const;
export type StoreKind = (typeof STORES)[number];

const REPLICATED: Partial<Record<StoreKind, () => Promise<Replicated>>> = {
  sentinel: () => WatchedBySentinels.make(),
  cluster: () => InCluster.make(),
};

interface Store {
  readonly redis: RedisServer | undefined;
  readonly replicated: Replicated | undefined;
  readonly proxies: readonly TcpProxy[];
}

export class Cluster {
  readonly nodes: readonly ChaosNode[];
  readonly redis: RedisServer | undefined;
  /** The store, where it has replicas. */
  readonly replicated: Replicated | undefined;
  /** One before each node. */
  readonly proxies: readonly TcpProxy[];
  readonly #folder: string;

  private constructor(folder: string, nodes: readonly ChaosNode[], store: Store) {
    this.#folder = folder;
    this.nodes = nodes;
    this.redis = store.redis;
    this.replicated = store.replicated;
    this.proxies = store.proxies;
  }

  /** @param preloads modules that each node loads first */
  static async start(kind: StoreKind, preloads: readonly string[] = []): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-chaos-'));
    const keys = join(folder, 'keys');
    generateKey(keys, 'ec');
    const redis = kind === 'redis' ? await RedisServer.start(...DURABLE) : undefined;
    const proxies = redis ? await Promise.all([0, 1].map(() => TcpProxy.start(redis.port))) : [];
    const replicated = await REPLICATED[kind]?.();
    const storeAt = (index: number): Record<string, string> => {
      const proxy = proxies[index];
      if (proxy) return { REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
      return replicated
        ? { REDIS_URL: replicated.urlAt(index), REDIS_MIN_REPLICAS: '1' }
        : { DATA_DIR: join(folder, 'data') };
    };
    const start = (index: number): Promise<ChaosNode> => {
      const env = { JWT_KEYS_DIR: keys, ...POLICY, ...storeAt(index) };
      return ChaosNode.start({ env, preloads, clockFile: join(folder, `clock-${index}`) });
    };
    return new Cluster(folder, [await start(0), await start(1)], { redis, replicated, proxies });
  }

  /** Waits until both nodes say that they serve. @returns how long that took; undefined: they did not within the limit */
  async recovered(limitMs: number): Promise<number | undefined> {
    const serving = async (): Promise<boolean> => {
      const each = await Promise.all(this.nodes.map((node) => node.serves()));
      return each.every(Boolean);
    };
    return until(serving, limitMs).catch(() => undefined);
  }

  /** Ends the Redis and starts one in its place that has none of its data. */
  async restartEmpty(): Promise<void> {
    if (!this.redis) return;
    const [, folder = ''] = (await this.redis.raw.config('GET', 'dir')) as string[];
    await this.redis.kill();
    await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
    await this.redis.restart();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await this.redis?.stop();
    await this.replicated?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
