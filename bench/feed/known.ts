// The section of logouts: how long after its acknowledgement one is known in other processes.

import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../figures.js';
import { cpuMsOf } from '../machine/usage.js';
import { logOut, SENDING_SHARE } from '../validator/log-out.js';
import type { Subject } from '../validator/subject.js';
import { below, type Figure } from './figure.js';
import { Helper } from './helper.js';
import type { KnowerWork } from './knower.js';

const PROGRAM = new URL('./knower.js', import.meta.url);
const STARTED_AT_ONCE = 4;
/** How long it is waited for logouts that are not known yet. */
const LINGER_MS = 10_000;

const reportsOf = (helpers: readonly Helper[]): Promise<(number | undefined)[][]> =>
  Promise.all(helpers.map((helper) => helper.ask<(number | undefined)[]>('report')));

export async function known(subject: Subject, processes: number, perS: number, seconds: number): Promise<Figure[]> {
  const { pid } = subject.service;
  const tokens = subject.tokens(perS * seconds);
  const work: KnowerWork = { address: subject.address, tokens };
  const helpers: Helper[] = [];
  try {
    while (helpers.length < processes) {
      const group = Array.from({ length: Math.min(STARTED_AT_ONCE, processes - helpers.length) });
      helpers.push(...(await Promise.all(group.map(() => Helper.start(PROGRAM, work)))));
    }
    for (const helper of helpers) helper.send('look');
    await sleep(500);
    const cpuMs = cpuMsOf(pid);
    const acknowledged = await logOut(subject.address, tokens, (seconds * 1000) / SENDING_SHARE);
    const share = (cpuMsOf(pid) - cpuMs) / (seconds * 1000);
    const untilMs = performance.now() + LINGER_MS;
    let reports = await reportsOf(helpers);
    while (reports.flat().includes(undefined) && performance.now() < untilMs) {
      await sleep(500);
      reports = await reportsOf(helpers);
    }
    const delays = reports.flatMap((knownMs) =>
      knownMs.map((ms, index) => (ms ?? Number.POSITIVE_INFINITY) - (acknowledged[index] ?? Number.NaN)),
    );
    const unknown = delays.filter((ms) => !Number.isFinite(ms)).length;
    if (unknown > 0) throw new Error(`${unknown} of ${delays.length} logouts were not known in time`);
    const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
    const what = `an acknowledged logout is known in ${processes} processes, ${perS} logouts a second`;
    return [
      { what: `${what}: p50`, measured: `${p50.toFixed(1)} ms`, goal: below(25, p50, '25 ms') },
      {
        what: `${what}: p99`,
        measured: `${p99.toFixed(1)} ms (serve ${(share * 100).toFixed(0)} % of a core)`,
        goal: below(50, p99, '50 ms'),
      },
    ];
  } finally {
    for (const helper of helpers) await helper.stop();
  }
}
