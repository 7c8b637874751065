// The rows of the bench of the validator: what is measured, and how.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { credentials } from '@grpc/grpc-js';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';
import type { ValidatorOptions } from '../../src/validator/index.js';
import { quantile } from '../figures.js';
import { cpuMsOf, ownCpuMs } from '../machine/usage.js';
import type { HotReport, HotWork } from './hot-process.js';
import { logOut } from './log-out.js';
import { learn, type Subject } from './subject.js';

/** Calls of a row, and how many are made before: code and caches of both sides are warm then. */
const WARM_CALLS = 30_000;
const CALLS = 60_000;
const MIB = 1024 * 1024;
const HOT = new URL('./hot-process.js', import.meta.url);

/** Callers of a closed loop, until so many calls were made. @returns how long each took, ms */
async function closedLoop(callers: number, calls: number, call: (caller: number) => Promise<void>): Promise<number[]> {
  const tookMs: number[] = [];
  let left = calls;
  const caller = async (which: number): Promise<void> => {
    while (left-- > 0) {
      const startMs = performance.now();
      await call(which);
      tookMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, which) => caller(which)));
  return tookMs;
}

export interface Rate {
  readonly perS: number;
  /** How many a core of the caller's process makes in a second of processor time: others on the machine do not count. */
  readonly perCoreS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the service, µs a call. */
  readonly serveUs: number;
}

/** How many calls are made before those that count, and how many count. */
export interface Calls {
  readonly warm: number;
  readonly counted: number;
}

const USUAL_CALLS: Calls = { warm: WARM_CALLS, counted: CALLS };

/** @param run makes the calls, the first ones to warm up */
async function rateOf(
  subject: Subject,
  run: (calls: number) => Promise<number[]>,
  { warm, counted }: Calls = USUAL_CALLS,
): Promise<Rate> {
  await run(warm);
  const startMs = performance.now();
  const [before, own] = [cpuMsOf(subject.service.pid), ownCpuMs()];
  const tookMs = (await run(counted)).sort((a, b) => a - b);
  const ms = performance.now() - startMs;
  const [serveMs, ownMs] = [cpuMsOf(subject.service.pid) - before, ownCpuMs() - own];
  return {
    perCoreS: (tookMs.length / ownMs) * 1000,
    perS: (tookMs.length / ms) * 1000,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    serveUs: (serveMs * 1000) / tookMs.length,
  };
}

/** `validateNow` of remembered tokens in turn, each text made anew from the bytes of a request. @returns how many a second of one core */
export async function now(subject: Subject, count: number, ms: number): Promise<number> {
  const validator = await subject.validator({ maxStaleness: '1h' });
  const tokens = subject.tokens(count);
  await learn(validator, tokens);
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'));
  let calls = 0;
  const run = (untilMs: number): void => {
    while (performance.now() < untilMs) {
      for (const each of bytes) if (validator.validateNow(each.toString('latin1'))?.active) calls++;
    }
  };
  run(performance.now() + ms / 4);
  calls = 0;
  const own = ownCpuMs();
  run(performance.now() + ms);
  const perCoreS = (calls / (ownCpuMs() - own)) * 1000;
  await validator.close();
  return perCoreS;
}

/** The same tokens by ValidateToken with gRPC's client, as many callers at once. */
export async function client(subject: Subject, count: number): Promise<Rate> {
  const tokens = subject.tokens(count);
  const grpc = new AuthServiceClient(subject.address, credentials.createInsecure());
  let next = 0;
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const accessToken = tokens[next++ % tokens.length] ?? '';
      grpc.validateToken({ accessToken, includeClaims: false }, (error, response) =>
        response?.active ? resolve() : reject(error ?? new Error('not active')),
      );
    });
  const rate = await rateOf(subject, (calls) => closedLoop(128, calls, call));
  grpc.close();
  return rate;
}

/** Strict callers without pause, each with tokens of its own. */
export async function strict(
  subject: Subject,
  count: number,
  source: ValidatorOptions['source'] = 'answers',
  calls: Calls = USUAL_CALLS,
): Promise<Rate & { readonly batch: number; readonly asks: number }> {
  const validator = await subject.validator({ source });
  const tokens = subject.tokens(count);
  await learn(validator, tokens);
  const callers = 256;
  const turns = new Array<number>(callers).fill(0);
  const each = Math.floor(tokens.length / callers);
  const call = async (caller: number): Promise<void> => {
    const turn = turns[caller] ?? 0;
    turns[caller] = turn + 1;
    const result = await validator.validate(tokens[caller * each + (turn % each)] ?? '', { consistency: 'strict' });
    if (!result.active) throw new Error('not active');
  };
  const rate = await rateOf(subject, (count) => closedLoop(callers, count, call), calls);
  const { calls: made, asks } = validator.state();
  await validator.close();
  return { ...rate, batch: asks / made, asks };
}

export interface Crowd {
  readonly requestsPerS: number;
  readonly asksPerS: number;
  readonly callsPerS: number;
  /** Of the service, in cores. */
  readonly serveCores: number;
  /** Requests that had to wait for the service, of a million. */
  readonly waitedPerMillion: number;
  readonly failed: number;
  /** Of the store, in cores. */
  readonly storeCores: number;
  /** How long after its acknowledgement each logout was known, ms; infinite: it was not. */
  readonly knownAfterMs: readonly number[];
}

export interface CrowdOptions {
  readonly processes: number;
  /** Validators of each. */
  readonly each: number;
  readonly ms: number;
  readonly source?: ValidatorOptions['source'];
  /** Hot tokens of each validator. */
  readonly hot?: number;
  /** Tokens of each process that are logged out while it is counted. */
  readonly ending?: number;
}

const STARTED_AT_ONCE = 4;

interface Hot {
  readonly child: ChildProcess;
  readonly ending: readonly string[];
}

/** Starts a process with some validators, which sends a message once they know their tokens. */
function startHot(subject: Subject, { each, source = 'answers', hot = 200, ending: ends = 0 }: CrowdOptions): Hot {
  const child = fork(HOT, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const tokens = Array.from({ length: each }, () => subject.tokens(hot));
  const ending = subject.tokens(ends);
  const work: HotWork = { address: subject.address, tokens, perS: 1_000, source, ending };
  child.send(work);
  return { child, ending };
}

/** Validators with hot tokens of their own, some in each process. */
export async function crowd(subject: Subject, options: CrowdOptions): Promise<Crowd> {
  const { processes, ms } = options;
  const started: Hot[] = [];
  // Some after the other: processes that all start at once keep each other from answering in time.
  for (let count = 0; count < processes; count += STARTED_AT_ONCE) {
    const group = Array.from({ length: Math.min(STARTED_AT_ONCE, processes - count) }, () =>
      startHot(subject, options),
    );
    await Promise.all(group.map(({ child }) => once(child, 'message')));
    started.push(...group);
  }
  const children = started.map(({ child }) => child);
  for (const child of children) child.send('begin');
  await new Promise((resolve) => setTimeout(resolve, ms));
  const [before, storeBefore] = [cpuMsOf(subject.service.pid), subject.storeCpuMs];
  const reports = children.map((child) => once(child, 'message') as Promise<[HotReport]>);
  for (const child of children) child.send('count');
  const acknowledged = await logOut(
    subject.address,
    started.flatMap(({ ending }) => ending),
    ms,
  );
  const [serveMs, storeMs] = [cpuMsOf(subject.service.pid) - before, subject.storeCpuMs - storeBefore];
  for (const child of children) child.send('end');
  const all = (await Promise.all(reports)).map(([report]) => report);
  for (const child of children) child.kill();
  const sum = (of: (report: HotReport) => number): number => all.reduce((total, report) => total + of(report), 0);
  const requests = sum(({ requests }) => requests);
  return {
    requestsPerS: (requests / ms) * 1000,
    asksPerS: (sum(({ asks }) => asks) / ms) * 1000,
    callsPerS: (sum(({ calls }) => calls) / ms) * 1000,
    serveCores: serveMs / ms,
    waitedPerMillion: (sum(({ waited }) => waited) / requests) * 1e6,
    failed: sum(({ failed }) => failed),
    storeCores: storeMs / ms,
    knownAfterMs: all
      .flatMap(({ endedMs }) => endedMs)
      .map((endedMs, index) => (endedMs ?? Number.POSITIVE_INFINITY) - (acknowledged[index] ?? Number.NaN)),
  };
}

/** What remembered tokens take; under HS256, whose tokens are soon made. @returns bytes a token */
export async function memory(subject: Subject, count: number): Promise<{ bytes: number; chars: number; held: number }> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const validator = await subject.validator({ maxStaleness: '1h', maxRemembered: count });
  const part = 5_000;
  let chars = 0;
  await learn(validator, subject.tokens(100, 'HS256'));
  collect();
  const before = process.memoryUsage().heapUsed;
  // More than it may remember, so that the bound is reached.
  for (let made = 0; made < count * 1.1; made += part) {
    const tokens = subject.tokens(part, 'HS256');
    chars = tokens[0]?.length ?? 0;
    await learn(validator, tokens);
  }
  collect();
  const { remembered } = validator.state();
  const bytes = (process.memoryUsage().heapUsed - before) / remembered;
  await validator.close();
  return { bytes, chars, held: (bytes * remembered) / MIB };
}
