// The entries in a Redis under test: tests read them, and move the births back in time.

import type { RedisServer } from '../support/redis-server.js';

export interface FoundEntry {
  readonly key: string;
  readonly text: string;
  /** How long it is kept yet, ms; -1: for ever. */
  readonly leftMs: number;
}

export interface Found {
  readonly sessions: readonly FoundEntry[];
  readonly subjects: readonly FoundEntry[];
  readonly births: readonly FoundEntry[];
}

/** Every entry of ours; logs hold none. */
export async function entriesIn({ raw }: RedisServer): Promise<Found> {
  const keys: string[] = [];
  for await (const some of raw.scanStream({ match: 'lk:1:*', count: 1000 }))
    keys.push(...some.filter((key: string) => !key.endsWith(':log')));
  const entries = await Promise.all(
    [...new Set(keys)]
      .sort()
      .map(async (key) => ({ key, text: (await raw.get(key)) ?? '', leftMs: await raw.pttl(key) })),
  );
  const of = (pattern: RegExp) => entries.filter(({ key }) => pattern.test(key));
  return { sessions: of(/:s:/), subjects: of(/:u:/), births: of(/:born$/) };
}

/** The key of a session that has an entry. */
export async function keyOf({ raw }: RedisServer, sessionId: string): Promise<string> {
  const [key, ...more] = await raw.keys(`lk:1:*:s:${sessionId}`);
  if (key === undefined || more.length > 0) throw new Error(`the session ${sessionId} has not one entry`);
  return key;
}

/** Moves the births back, so that sessions may have started before the test did. */
export async function age(redis: RedisServer, byMs: number): Promise<void> {
  const { births } = await entriesIn(redis);
  const text = `1 ${Date.now() - byMs} born - 0`;
  await Promise.all(births.map(({ key }) => redis.raw.set(key, text)));
}
