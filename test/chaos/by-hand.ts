// Faults of a chaos run that are done to the store by hand: logs and birth records are deleted, an older version writes.

import { birthName, entryName, logName, SHARDS, shardOf } from '../../src/adapters/redis/keys.js';
import { isSessionId } from '../../src/core/token/session-id.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';
import type { CallRecord, Span } from './record.js';
import { type ClientSession, newest, type Sessions } from './sessions.js';

/** How many sessions an older version ends in one fault, and how long each takes to be on a replica at most, ms. */
const ENDED_BY_OLDER = 5;
const WAIT_MS = 1_000;
/** For how long the end of a session is kept, ms: longer than any of its tokens lasts here. */
const KEPT_MS = 60_000;
/** How long the birth records may take to be written again, ms. */
const REBORN_MS = 10_000;
const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);

/**
 * The logout of a version that keeps no log: it writes the end and raises the count of the birth record, without a mark.
 * KEYS[1]: the entry; KEYS[2]: the birth record; ARGV[1]: how long the entry is kept, ms.
 */
const OLDER_LOGOUT = `
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local head, count = string.match(redis.call('GET', KEYS[2]) or '', '^(1 %d+ born %S+) ?(%d*)$')
if not head then return 0 end
redis.call('SET', KEYS[1], '1 ' .. now .. ' ended logout', 'PX', ARGV[1])
redis.call('SET', KEYS[2], head .. ' ' .. string.format('%.0f', (tonumber(count) or 0) + 1))
return 1`;

export interface ByHandOptions {
  readonly random: Random;
  /** The server that takes the writes of a shard. */
  readonly serverOf: (shard: number) => Promise<RedisServer>;
  /** How many replicas must have a write before it is acknowledged. */
  readonly minReplicas: number;
  readonly sessions: Sessions;
  /** Writes down what an older version did. */
  readonly record: (call: CallRecord) => void;
  /** Writes down that all sessions of before are over. */
  readonly lost: (loss: Span) => void;
}

/** The faults, by name. */
export function byHand(options: ByHandOptions): Record<string, () => Promise<void>> {
  const { random, serverOf, lost } = options;
  const each = (shards: readonly number[], act: (server: RedisServer, shard: number) => Promise<unknown>) =>
    Promise.all(shards.map(async (shard) => act(await serverOf(shard), shard)));
  return {
    'logs deleted by hand': async () => {
      const shards = random.chance(0.5) ? ALL : random.shuffled([...ALL]).slice(0, Math.ceil(random.between(0, 32)));
      await each(shards, (server, shard) => server.raw.del(logName(shard)));
    },
    'birth records deleted by hand': async () => {
      const fromMs = performance.now();
      await each(ALL, (server, shard) => server.raw.del(birthName(shard)));
      const untilMs = performance.now() + REBORN_MS;
      await each(ALL, async (server, shard) => {
        while ((await server.raw.exists(birthName(shard))) === 0 && performance.now() < untilMs) {}
      });
      lost({ fromMs, toMs: performance.now() });
    },
    'sessions ended by an older version': async () => {
      for (let n = 0; n < ENDED_BY_OLDER; n++) {
        const session = options.sessions.live(random);
        if (session) await endByOlder(session, options);
      }
    },
  };
}

async function endByOlder(session: ClientSession, options: ByHandOptions): Promise<void> {
  const { serverOf, minReplicas, sessions, record } = options;
  const { sid, gen, pair } = newest(session);
  const { subject } = session;
  if (!isSessionId(sid)) throw new Error('a session of a client has no session id');
  const shard = shardOf(subject);
  const entry = entryName({ kind: 'session', subject, sessionId: sid });
  const fromMs = performance.now();
  const { raw } = await serverOf(shard);
  const written = await raw.eval(OLDER_LOGOUT, 2, entry, birthName(shard), KEPT_MS);
  const isDone = written === 1 && (minReplicas === 0 || (await raw.wait(minReplicas, WAIT_MS)) >= minReplicas);
  const outcome = isDone ? ({ is: 'done' } as const) : ({ is: 'unknown', code: 'UNAVAILABLE' } as const);
  const exp = pair.accessExpiresAt;
  record({
    ...{ kind: 'logout', node: 0, deadlineMs: 4_000, subject, sid, gen, exp, outcome },
    ...{ fromMs, toMs: performance.now() },
  });
  if (isDone) sessions.end(session);
}
