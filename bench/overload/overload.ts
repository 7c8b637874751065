// `npm run bench:overload`: what a service refuses of honest load, and what it does at twice the load that it can serve.
// One machine makes the load and serves it, and may do other things: compare what one run says, not runs.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../../test/support/redis-server.js';
import { fine, finer, median, whole } from '../figures.js';
import { memoryMiBOf } from '../machine/usage.js';
import { closedLoops } from './closed.js';
import { probe, type Seen, type Subject } from './probe.js';
import { cpuUsOf, tableOf } from './report.js';
import { type Clean, startSubject } from './subject.js';

/** Of so many rounds the half is told in which other programs of the machine were quieter. */
const ROUNDS = 5;
const CONNECTIONS = 16;
const BURST = 100;
/** Shares of the load that can be served: offered, whatever is answered, and practically nothing of it refused. */
const [UNLOADED, FULL, TWICE] = [0.2, 1, 2];
/** What may be refused of a load that can be served: a pause of the machine is enough for some calls. */
const SERVED = 0.99;
/** Loads that are tried for it, as shares of what a service without a limit answers at most, when asked without pause. */
const TRIED = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
/** For what was under way to end. */
const CALM_MS = 500;

interface Round {
  /** The load that can be served, and the most that a service without a limit answers; calls a second. */
  readonly capacity: number;
  readonly most: number;
  readonly unloaded: Seen;
  readonly full: Seen;
  readonly twice: Seen;
  readonly twiceTheMost: Seen;
}

const open = (subject: Subject, callsPerS: number, warmMs: number, countedMs: number): Promise<Seen> =>
  probe(subject, { kind: 'open', callsPerS, warmMs, countedMs });

/** @returns calls a second: the most that are answered, asked for at growing numbers at once */
async function findMost(subject: Subject): Promise<number> {
  const found: number[] = [];
  for (const atOnce of [16, 64]) {
    found.push((await probe(subject, { kind: 'closed', atOnce, warmMs: 100, countedMs: 400 })).answeredPerS);
  }
  return Math.max(...found);
}

/** @returns calls a second: the most that come at random moments and are all answered */
async function findCapacity(subject: Subject, most: number): Promise<number> {
  for (const share of TRIED) {
    const { counts } = await open(subject, share * most, 700, 500);
    if (counts.answered >= SERVED * (counts.answered + counts.refused)) return share * most;
    await sleep(CALM_MS);
  }
  throw new Error('not even the least of the loads that were tried is served whole');
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function oneRound(limited: Subject, unlimited: Subject): Promise<Round> {
  // Anew each time: what else goes on here changes what can be served.
  const most = await findMost(unlimited);
  const capacity = await findCapacity(limited, most);
  const unloaded = await open(limited, UNLOADED * capacity, 200, 2_500);
  const twice = await open(limited, TWICE * capacity, 700, 2_000);
  await sleep(CALM_MS);
  const full = await open(limited, FULL * capacity, 300, 700);
  const twiceTheMost = await open(limited, TWICE * most, 700, 1_000);
  await sleep(CALM_MS);
  return { capacity, most, unloaded, full, twice, twiceTheMost };
}

async function burst({ client }: Subject): Promise<string> {
  await sleep(CALM_MS);
  const pairs = await Promise.all(Array.from({ length: BURST }, (_, n) => client.issue(`burst-${n}`)));
  const results = await Promise.allSettled(pairs.map(({ refreshToken }) => client.refresh(refreshToken)));
  return `${results.filter(({ status }) => status === 'fulfilled').length} of ${BURST}`;
}

function tell(rounds: readonly Round[], drowned: Seen): string {
  const others = ({ unloaded, twice }: Round): number => unloaded.othersCpu + twice.othersCpu;
  const told = [...rounds].sort((a, b) => others(a) - others(b)).slice(0, Math.ceil(rounds.length / 2));
  const shares = told.map(({ most, twice }) => twice.answeredPerS / most);
  const answeredUs = median(told.map(({ unloaded }) => cpuUsOf(unloaded)));
  const fullUs = median(told.map(({ full }) => cpuUsOf(full)));
  const refusedUs = median(told.map(({ twice }) => cpuUsOf(twice, fullUs)));
  const rows = {
    [`${UNLOADED * 100} %`]: told.map(({ unloaded }) => unloaded),
    [`${FULL * 100} %`]: told.map(({ full }) => full),
    [`${TWICE * 100} %`]: told.map(({ twice }) => twice),
    'twice the most': told.map(({ twiceTheMost }) => twiceTheMost),
    'twice the most, no limit': [drowned],
  };
  return [
    `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}); ES256, Redis, ${CONNECTIONS} connections.`,
    `100 % is ${whole(median(told.map(({ capacity }) => capacity)))} ValidateToken a second, which are served whole.`,
    `The most that is answered without a limit is ${whole(median(told.map(({ most }) => most)))}. Medians of ${told.length} rounds:\n`,
    tableOf(rows),
    `\nAnswered at ${TWICE * 100} %, as a share of the most: ${finer(median(shares))} (${shares.map(finer).join(', ')})`,
    `p99 at ${TWICE * 100} %: ${told.map(({ twice }) => fine(twice.p99Ms)).join(', ')} ms`,
    `CPU of a call: ${whole(answeredUs)} µs answered alone, ${whole(fullUs)} µs among others, ${whole(refusedUs)} µs refused`,
  ].join('\n');
}

async function bench(cleanup: Clean[]): Promise<string> {
  const keys = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  cleanup.push(() => rm(keys, { recursive: true }));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(keys, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const redis = await RedisServer.start();
  cleanup.push(() => redis.stop());
  const closed = await closedLoops(keys, redis);
  const at = { redis, connections: CONNECTIONS };
  const limited = await startSubject(cleanup, at, { JWT_KEYS_DIR: keys });
  const unlimited = await startSubject(cleanup, at, { JWT_KEYS_DIR: keys, MAX_CONCURRENT_CALLS: '1000000' });
  for (const subject of [limited, unlimited]) {
    await probe(subject, { kind: 'closed', atOnce: 16, warmMs: 500, countedMs: 1_000 });
  }
  const beforeMiB = memoryMiBOf(limited.pid);
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) rounds.push(await oneRound(limited, unlimited));
  const served = await burst(limited);
  const afterMiB = memoryMiBOf(limited.pid);
  const drowned = await open(unlimited, TWICE * median(rounds.map(({ most }) => most)), 700, 1_500);
  return [
    `Closed loops of 256 calls:\n\n${closed}\n`,
    tell(rounds, drowned),
    `A burst of ${BURST} refreshes after it: ${served} answered`,
    `Memory: ${whole(beforeMiB)} MiB before, ${whole(afterMiB)} MiB after`,
  ].join('\n');
}

const cleanup: Clean[] = [];
try {
  process.stdout.write(`${await bench(cleanup)}\n`);
} finally {
  for (const clean of cleanup.reverse()) await clean();
}
