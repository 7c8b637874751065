// The faults of a Redis under a running service, and the expected answers during each.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { PASSWORD, RIGHTS, type Scene, USER } from './fault-scene.js';

/** The result of a call: its answer, or UNAVAILABLE. */
export type Answer = 'OK' | 'UNAVAILABLE';

export interface RedisFault {
  readonly name: string;
  /** Once it was noticed: ValidateToken and IssueToken, which only read. */
  readonly reads: Answer;
  /** RefreshToken and Logout, which write. */
  readonly writes: Answer;
  /** Whether both nodes are struck, or only the one behind the proxy. */
  readonly strikes: 'both' | 'one';
  /** Whether Redis has afterwards what it had before. */
  readonly keeps: 'everything' | 'nothing';
  /** Whether writes that are under way are made, and their answers lost. */
  readonly unheardWrites?: boolean;
  inflict(scene: Scene): Promise<void>;
  heal(scene: Scene): Promise<void>;
}

type Way = Omit<RedisFault, 'name' | 'reads' | 'writes' | 'strikes' | 'keeps' | 'unheardWrites'>;

const away = { reads: 'UNAVAILABLE', writes: 'UNAVAILABLE', strikes: 'both', keeps: 'everything' } as const;
const takesNoWrites = { ...away, reads: 'OK' } as const;
const onOneNode = { ...away, strikes: 'one' } as const;

const CLIENTS = ['CLIENT', 'KILL', 'USER', USER] as const;
const kick = async ({ raw }: RedisServer): Promise<void> => void (await raw.call(...CLIENTS));

/** A setting that is changed while Redis runs, and back. */
const setting = (name: string, bad: string, good: string): Way => ({
  inflict: async ({ redis }) => void (await redis.raw.config('SET', name, bad)),
  heal: async ({ redis }) => void (await redis.raw.config('SET', name, good)),
});

/** Something about the user, and back. */
const user = (bad: readonly string[], good: readonly string[]): Way => ({
  inflict: async ({ redis }) => void (await redis.raw.acl('SETUSER', USER, ...bad)),
  heal: async ({ redis }) => void (await redis.raw.acl('SETUSER', USER, ...good)),
});

const onProxy = (inflict: (scene: Scene) => void): Way => ({
  inflict: async (scene) => inflict(scene),
  heal: async ({ proxy }) => proxy.mend(),
});

/** Redis writes a snapshot to a file, and gives it its name at the end: not where a folder has that name. */
const unsaved = (redis: RedisServer) => join(redis.folder, 'dump.rdb');

async function save({ raw }: RedisServer, outcome: 'ok' | 'err'): Promise<void> {
  await raw.bgsave();
  await until(async () => (await raw.info('persistence')).includes(`rdb_last_bgsave_status:${outcome}`), 30_000);
}

export const REDIS_FAULTS: readonly RedisFault[] = [
  {
    ...away,
    name: 'killed, and started again with its data',
    inflict: ({ redis }) => redis.kill(),
    heal: ({ redis }) => redis.restart(),
  },
  {
    ...away,
    name: 'killed, and started again without its data',
    keeps: 'nothing',
    inflict: ({ redis }) => redis.forget(),
    heal: ({ redis }) => redis.restart(),
  },
  {
    ...away,
    name: 'paused (SIGSTOP), and woken',
    inflict: async ({ redis }) => redis.pause(),
    heal: async ({ redis }) => redis.resume(),
  },
  { ...takesNoWrites, name: 'out of memory (`maxmemory` reached)', ...setting('maxmemory', '1', '0') },
  {
    ...takesNoWrites,
    name: 'cannot save (`MISCONF`)',
    inflict: async ({ redis }) => {
      await redis.raw.config('SET', 'save', '3600 1');
      await mkdir(unsaved(redis));
      await save(redis, 'err');
    },
    heal: async ({ redis }) => {
      await rm(unsaved(redis), { recursive: true });
      await save(redis, 'ok');
      await redis.raw.config('SET', 'save', '');
    },
  },
  {
    ...takesNoWrites,
    name: 'too few replicas (`min-replicas-to-write`)',
    ...setting('min-replicas-to-write', '1', '0'),
  },
  {
    ...away,
    name: 'demoted (`REPLICAOF`), and promoted',
    inflict: async ({ redis }) => void (await redis.raw.replicaof('127.0.0.1', '1')),
    heal: async ({ redis }) => void (await redis.raw.replicaof('NO', 'ONE')),
  },
  {
    ...away,
    name: 'made the replica of an empty Redis, and promoted',
    keeps: 'nothing',
    inflict: async ({ redis, stage }) => {
      const other = await stage.redis();
      await redis.raw.replicaof('127.0.0.1', `${other.port}`);
      await until(async () => (await redis.raw.info('replication')).includes('master_link_status:up'), 30_000);
    },
    heal: async ({ redis }) => void (await redis.raw.replicaof('NO', 'ONE')),
  },
  {
    ...onOneNode,
    reads: 'OK',
    writes: 'OK',
    // What takes half a second counts as away: this leaves a busy machine as much time again.
    name: 'slow (200 ms a round trip)',
    ...onProxy(({ proxy }) => proxy.delay(200)),
  },
  { ...onOneNode, name: 'slow (800 ms a round trip)', ...onProxy(({ proxy }) => proxy.delay(800)) },
  { ...onOneNode, name: 'cut off, without a reset', ...onProxy(({ proxy }) => proxy.drop()) },
  {
    ...onOneNode,
    name: 'cut off for a while; what was sent arrives afterwards',
    ...onProxy(({ proxy }) => proxy.hold()),
  },
  {
    ...onOneNode,
    name: 'cut off one way: it gets requests, its answers are lost',
    unheardWrites: true,
    ...onProxy(({ proxy }) => proxy.drop('down')),
  },
  {
    ...onOneNode,
    name: 'accepts connections, and never answers',
    ...onProxy(({ proxy }) => {
      proxy.drop();
      proxy.cut();
    }),
  },
  {
    ...away,
    name: 'its password is changed, and the connections are cut',
    inflict: async ({ redis }) => {
      await redis.raw.acl('SETUSER', USER, 'resetpass', '>another');
      await kick(redis);
    },
    heal: async ({ redis }) => void (await redis.raw.acl('SETUSER', USER, 'resetpass', `>${PASSWORD}`)),
  },
  { ...away, name: 'the user may not touch our keys any more', ...user(['resetkeys'], RIGHTS.split(' ')) },
  { ...away, name: 'the user may run no script any more', ...user(['-eval', '-evalsha'], RIGHTS.split(' ')) },
  {
    ...takesNoWrites,
    name: 'the user may not write any more',
    ...user(['-set'], RIGHTS.split(' ')),
  },
  {
    ...away,
    name: '`maxmemory-policy allkeys-lru`, set while it runs',
    ...setting('maxmemory-policy', 'allkeys-lru', 'noeviction'),
  },
];
