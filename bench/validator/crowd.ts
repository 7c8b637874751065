// The row of many validators with hot tokens in processes of their own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ValidatorOptions } from '../../src/validator/index.js';
import { cpuMsOf } from '../machine/usage.js';
import type { HotReport, HotWork } from './hot-process.js';
import { logOut } from './log-out.js';
import type { Subject } from './subject.js';

const HOT = new URL('./hot-process.js', import.meta.url);

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
  /** Requests a second, of each validator. */
  readonly perS?: number;
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
function startHot(subject: Subject, options: CrowdOptions): Hot {
  const { each, source = 'answers', perS = 1_000, hot = 200, ending: ends = 0 } = options;
  const child = fork(HOT, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const tokens = Array.from({ length: each }, () => subject.tokens(hot));
  const ending = subject.tokens(ends);
  const work: HotWork = { address: subject.address, tokens, perS, source, ending };
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
