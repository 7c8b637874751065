// Owns `npm run bench:overload`: what a service does at twice the load that it can serve, with its limit and without.
// One machine makes the load and serves it: compare what one run says, not runs.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestClient } from '../test/support/auth-client.js';
import { startServe } from '../test/support/processes.js';
import { RedisServer } from '../test/support/redis-server.js';
import type { Load } from './load.js';
import { LoadProcess } from './load-process.js';
import { probe, type Seen, type Subject } from './probe.js';
import { memoryMiBOf } from './usage.js';

const ROUNDS = 6;
const SESSIONS = 100;
const CONNECTIONS = 16;
const BURST = 100;
const SEED = 20_260;
/** Shares of the load that can be served. */
const [UNLOADED, FULL, TWICE] = [0.2, 1, 2];
/** Long enough for a limit's calm, after which it takes a burst again. */
const CALM_MS = 1_200;

type Clean = () => Promise<unknown>;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const whole = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(0));
const fine = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(1));

const COLUMNS: readonly [title: string, of: (seen: Seen) => number, shown: (value: number) => string][] = [
  ['answered/s', ({ answeredPerS }) => answeredPerS, whole],
  ['refused/s', ({ refusedPerS }) => refusedPerS, whole],
  ['failed', ({ counts }) => counts.failed, whole],
  ['p50 ms', ({ p50Ms }) => p50Ms, fine],
  ['p99 ms', ({ p99Ms }) => p99Ms, fine],
  ['health p99 ms', ({ healthP99Ms }) => healthP99Ms, fine],
  ['not SERVING', ({ unhealthy }) => unhealthy, whole],
  ['CPU', ({ serverCpu }) => serverCpu, (share) => share.toFixed(2)],
  ['MiB', ({ memoryMiB }) => memoryMiB, whole],
  ["load's CPU", ({ cpuShare }) => cpuShare, (share) => share.toFixed(2)],
  ["load's lateness p99 ms", ({ lateP99Ms }) => lateP99Ms, fine],
  ["others' CPU", ({ othersCpu }) => othersCpu, (share) => share.toFixed(2)],
];

/** A row of the table: the median of the rounds in each column. */
const row = (name: string, rounds: readonly Seen[]): string =>
  `| ${[name, ...COLUMNS.map(([, of, shown]) => shown(median(rounds.map(of))))].join(' | ')} |`;

async function startSubject(redis: RedisServer, keys: string, cleanup: Clean[], env = {}): Promise<Subject> {
  const service = await startServe({ env: { JWT_KEYS_DIR: keys, REDIS_URL: redis.url, ACCESS_TTL: '1h', ...env } });
  cleanup.push(() => service.stop());
  const client = new TestClient(service.address);
  cleanup.push(async () => client.close());
  const tokens = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, n) => (await client.issue(`user-${n}`)).accessToken),
  );
  const [host = '', port] = service.address.split(':');
  const target = { host, port: Number(port), connections: CONNECTIONS, tokens, seed: SEED };
  const load = await LoadProcess.start(target);
  cleanup.push(() => load.stop());
  return { client, load, pid: service.child.pid ?? 0, helpers: [redis.pid ?? 0, load.pid, process.pid] };
}

/** @returns calls a second: the most that were answered, asked for at growing numbers at once */
async function findCapacity(subject: Subject): Promise<number> {
  const found: number[] = [];
  for (const atOnce of [16, 64]) {
    found.push((await probe(subject, { kind: 'closed', atOnce, warmMs: 100, countedMs: 400 })).answeredPerS);
  }
  return Math.max(...found);
}

async function burst({ client }: Subject): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, CALM_MS));
  const pairs = await Promise.all(Array.from({ length: BURST }, (_, n) => client.issue(`burst-${n}`)));
  const results = await Promise.allSettled(pairs.map(({ refreshToken }) => client.refresh(refreshToken)));
  return `${results.filter(({ status }) => status === 'fulfilled').length} of ${BURST}`;
}

async function bench(cleanup: Clean[]): Promise<void> {
  const keys = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  cleanup.push(() => rm(keys, { recursive: true }));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(keys, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const redis = await RedisServer.start();
  cleanup.push(() => redis.stop());
  const limited = await startSubject(redis, keys, cleanup);
  const unlimited = await startSubject(redis, keys, cleanup, { MAX_CONCURRENT_CALLS: '1000000' });

  for (const each of [limited, unlimited]) {
    await probe(each, { kind: 'closed', atOnce: 16, warmMs: 500, countedMs: 1_000 });
  }
  const capacities: number[] = [];
  const open = (share: number, warmMs: number, countedMs: number): Load => ({
    ...{ kind: 'open', callsPerS: share * (capacities.at(-1) ?? Number.NaN), warmMs, countedMs },
  });
  const memoryBefore = memoryMiBOf(limited.pid);
  const seen: Record<'unloaded' | 'full' | 'twice', Seen[]> = { unloaded: [], full: [], twice: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Anew each time: who else is busy on this machine changes what it can serve.
    capacities.push(await findCapacity(unlimited));
    seen.unloaded.push(await probe(limited, open(UNLOADED, 200, 1_200)));
    seen.twice.push(await probe(limited, open(TWICE, 700, 1_500)));
    seen.full.push(await probe(limited, open(FULL, 300, 700)));
  }
  const served = await burst(limited);
  const drowned = await probe(unlimited, open(TWICE, 700, 1_500));

  say(`Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}); ES256, Redis; ValidateToken on`);
  say(
    `${CONNECTIONS} connections. It can serve ${whole(median(capacities))} calls a second. Medians of ${ROUNDS} rounds:\n`,
  );
  say(`| Load | ${COLUMNS.map(([title]) => title).join(' | ')} |`);
  say(`|---|${COLUMNS.map(() => '---|').join('')}`);
  say(row(`${UNLOADED * 100} %`, seen.unloaded));
  say(row('100 %', seen.full));
  say(row('200 %', seen.twice));
  say(row('200 %, without the limit', [drowned]));
  const ratios = seen.twice.map(({ p99Ms }, round) => p99Ms / (seen.unloaded[round]?.p99Ms ?? Number.NaN));
  say(
    `\np99 at 200 % over p99 at ${UNLOADED * 100} %: ${fine(median(ratios))} (rounds: ${ratios.map(fine).join(', ')})`,
  );
  const answeredUs = median(seen.full.map((each) => cpuUsOf(each)));
  const refusedUs = median(seen.twice.map((each) => cpuUsOf(each, answeredUs)));
  say(`CPU of a call: answered ${whole(answeredUs)} µs, refused ${whole(refusedUs)} µs`);
  say(`A burst of ${BURST} refreshes, after it: ${served} answered`);
  say(`Memory of the service: ${whole(memoryBefore)} MiB before, ${whole(memoryMiBOf(limited.pid))} MiB at the end`);
}

/** CPU time of an answered call; or of a refused one, where that of an answered one is known. */
const cpuUsOf = ({ serverCpu, answeredPerS, refusedPerS }: Seen, answeredUs?: number): number =>
  answeredUs === undefined
    ? (serverCpu * 1e6) / (answeredPerS + refusedPerS)
    : (serverCpu * 1e6 - answeredUs * answeredPerS) / refusedPerS;

const cleanup: Clean[] = [];
try {
  await bench(cleanup);
} finally {
  for (const clean of cleanup.reverse()) await clean();
}
