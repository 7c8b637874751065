// Open loops: calls that come at random moments, whatever is answered, up to twice as many as can be served.

import type { RedisServer } from '../../test/support/redis-server.js';
import { fine, finer, median, whole } from '../figures.js';
import { probe, type Seen } from './probe.js';
import { cpuUsOf, tableOf } from './report.js';
import { type Clean, startSubject, type WORKS } from './subject.js';

const ROUNDS = 3;
const CONNECTIONS = 64;
/** More than may be under way and wait, because a refresh has a session of its own. */
const SESSIONS = 5_000;
/** Shares of the most that is answered: offered, whatever is answered. */
const [UNLOADED, HALF, TWICE] = [0.2, 0.5, 2];
/** Longer than the queue is non-empty before it is an overload. */
const LASTING_MS = 3_000;
/** For what was under way to end. */
const CALM_MS = 500;

interface Round {
  /** The most that a service without a limit answers when it is asked without pause; calls a second. */
  readonly most: number;
  readonly unloaded: Seen;
  readonly half: Seen;
  readonly twice: Seen;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A table of what is seen, and what follows from it. */
export async function openLoops(work: keyof typeof WORKS, keys: string, redis: RedisServer): Promise<string> {
  const cleanup: Clean[] = [];
  const at = { redis, connections: CONNECTIONS };
  const limited = await startSubject(cleanup, at, { work, sessions: SESSIONS, env: { JWT_KEYS_DIR: keys } });
  const free = await startSubject(cleanup, at, {
    ...{ work, sessions: SESSIONS },
    env: { JWT_KEYS_DIR: keys, MAX_CONCURRENT_CALLS: '1000000' },
  });
  const open = (callsPerS: number, warmMs: number, countedMs: number): Promise<Seen> =>
    probe(limited, { kind: 'open', callsPerS, warmMs, countedMs });
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) {
    // Anew each time: what else goes on here changes what can be served.
    const found: number[] = [];
    for (const atOnce of [16, 64, 256]) {
      found.push((await probe(free, { kind: 'closed', atOnce, warmMs: 200, countedMs: 600 })).answeredPerS);
    }
    const most = Math.max(...found);
    const unloaded = await open(UNLOADED * most, 200, 1_000);
    const half = await open(HALF * most, 200, 1_000);
    const twice = await open(TWICE * most, LASTING_MS, 2_000);
    await sleep(CALM_MS);
    rounds.push({ most, unloaded, half, twice });
  }
  for (const clean of cleanup.reverse()) await clean();
  return describe(rounds);
}

function describe(rounds: readonly Round[]): string {
  const shares = rounds.map(({ most, twice }) => twice.answeredPerS / most);
  const answeredUs = median(rounds.map(({ half }) => cpuUsOf(half)));
  const refusedUs = median(rounds.map(({ twice }) => cpuUsOf(twice, answeredUs)));
  const rows = {
    [`${UNLOADED * 100} %`]: rounds.map(({ unloaded }) => unloaded),
    [`${HALF * 100} %`]: rounds.map(({ half }) => half),
    [`${TWICE * 100} %`]: rounds.map(({ twice }) => twice),
  };
  return [
    `100 % is ${whole(median(rounds.map(({ most }) => most)))} calls a second, the most that is answered without a limit.`,
    `Medians of ${rounds.length} rounds, ${CONNECTIONS} connections:\n`,
    tableOf(rows),
    `\nAnswered at ${TWICE * 100} %, as a share of the most: ${finer(median(shares))} (${shares.map(finer).join(', ')})`,
    `p99 at ${TWICE * 100} %: ${rounds.map(({ twice }) => fine(twice.p99Ms)).join(', ')} ms`,
    `CPU of a call: ${whole(answeredUs)} µs answered at ${HALF * 100} %, ${whole(refusedUs)} µs refused at ${TWICE * 100} %`,
  ].join('\n');
}
