// Closed loops with as many calls under way as may be: what is refused, and what the limit costs.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisServer } from '../../test/support/redis-server.js';
import { fine, finer, median, table, whole } from '../figures.js';
import type { LoadProcess } from '../load/load-process.js';
import { type Clean, type Service, startLoad, startService, WORKS } from './subject.js';

/** As many as may be under way by default. */
const AT_ONCE = 256;
const CONNECTIONS = [1, 8, 64];
/** The two services have turns, so that what else the machine does falls on both. */
const ROUNDS = 3;
const LOAD = { kind: 'closed', atOnce: AT_ONCE, warmMs: 200, countedMs: 1_000 } as const;

type Work = keyof typeof WORKS;

/** A row of Markdown cells for each kind of call, store and number of connections. */
export async function closedLoops(keys: string, redis: RedisServer): Promise<string> {
  const rows: string[][] = [];
  for (const store of ['Redis', 'embedded']) {
    const cleanup: Clean[] = [];
    const limited = await startService(cleanup, { JWT_KEYS_DIR: keys, ...(await placeOf(store, cleanup, redis)) });
    const free = await startService(cleanup, {
      ...{ JWT_KEYS_DIR: keys, MAX_CONCURRENT_CALLS: '1000000' },
      ...(await placeOf(store, cleanup, redis)),
    });
    for (const connections of CONNECTIONS) {
      const loads: Clean[] = [];
      const pair = [limited, free].map(async (service) => ({
        service,
        load: await startLoad(loads, service, connections),
      }));
      const [withLimit, without] = await Promise.all(pair);
      if (!withLimit || !without) throw new Error('two services have two loads');
      for (const work of Object.keys(WORKS) as Work[]) {
        rows.push([work, store, `${connections}`, ...(await cells(work, withLimit, without))]);
      }
      for (const stop of loads) await stop();
    }
    for (const clean of cleanup.reverse()) await clean();
  }
  return table(['call', 'store', 'connections', 'refused %', 'answered/s', 'without limit', 'share', 'p99 ms'], rows);
}

interface Loaded {
  readonly service: Service;
  readonly load: LoadProcess;
}

async function cells(work: Work, limited: Loaded, free: Loaded): Promise<string[]> {
  const rounds: { share: number; refused: number; perS: number; freePerS: number; p99Ms: number }[] = [];
  while (rounds.length < ROUNDS) {
    const [mine, others] = [await once(work, limited), await once(work, free)];
    const { answered, refused } = mine.counts;
    rounds.push({
      ...{ share: mine.perS / others.perS, refused: (100 * refused) / (answered + refused) },
      ...{ perS: mine.perS, freePerS: others.perS, p99Ms: mine.p99Ms },
    });
  }
  const middle = (of: (round: (typeof rounds)[number]) => number): number => median(rounds.map(of));
  return [
    ...[finer(Math.max(...rounds.map(({ refused }) => refused))), whole(middle(({ perS }) => perS))],
    ...[
      whole(middle(({ freePerS }) => freePerS)),
      finer(middle(({ share }) => share)),
      fine(middle(({ p99Ms }) => p99Ms)),
    ],
  ];
}

async function once(work: Work, { service, load }: Loaded) {
  await load.take(await WORKS[work](service.client, 2 * AT_ONCE));
  const outcomes = await load.run(LOAD);
  return { ...outcomes, perS: (outcomes.answeredInTime * 1_000) / LOAD.countedMs };
}

async function placeOf(store: string, cleanup: Clean[], redis: RedisServer): Promise<Record<string, string>> {
  if (store === 'Redis') return { REDIS_URL: redis.url };
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
  return { DATA_DIR: folder };
}
