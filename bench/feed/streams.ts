// The section of many streams on one service: what they cost it, in processor time and in memory.

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf, memoryMiBOf } from '../machine/usage.js';
import type { Subject } from '../validator/subject.js';
import { below, type Figure } from './figure.js';
import { Helper } from './helper.js';
import type { OpenStreams, PingStreams, StreamsReport } from './streams-process.js';

const PROGRAM = new URL('./streams-process.js', import.meta.url);
const PINGS_A_S = 4;
const COLLECTIONS = 3;
const KB_IN_MIB = 1024 * 1.024;

/** What the image sets. Else the young generation, which grows under any load, would count as memory of streams. */
export const IMAGE_OPTIONS = '--max-semi-space-size=16';
const COLLECT = new URL('../memory/collect.js', import.meta.url).href;

/** The settings of a service that collects its garbage at SIGUSR2. */
export const COLLECTING = { NODE_OPTIONS: `--import=${COLLECT} ${IMAGE_OPTIONS}` };

/** What stays when the garbage is gone, MiB. */
async function settledMiB(pid: number): Promise<number> {
  for (let time = 0; time < COLLECTIONS; time++) {
    process.kill(pid, 'SIGUSR2');
    await sleep(500);
  }
  return memoryMiBOf(pid);
}

/** @param subject its service must be started with `COLLECTING` */
export async function manyStreams(subject: Subject, streams: number, ms: number): Promise<Figure[]> {
  const { pid } = subject.service;
  const before = await settledMiB(pid);
  const first: OpenStreams = { address: subject.address, streams };
  const helper = await Helper.start(PROGRAM, first);
  try {
    const warm: PingStreams = { perS: PINGS_A_S, ms };
    await helper.ask(warm);
    const cpuMs = cpuMsOf(pid);
    const report = await helper.ask<StreamsReport>({ perS: PINGS_A_S, ms } satisfies PingStreams);
    const share = (cpuMsOf(pid) - cpuMs) / ms;
    const kb = (((await settledMiB(pid)) - before) * KB_IN_MIB) / streams;
    if (report.pongs < report.pings) throw new Error(`${report.pongs} pongs to ${report.pings} pings`);
    const perPingUs = (share * 1e6) / (streams * PINGS_A_S);
    const waits = `pongs p50 ${report.p50Ms.toFixed(0)} ms, p99 ${report.p99Ms.toFixed(0)} ms`;
    const cost = `${(share * 100).toFixed(1)} % (${perPingUs.toFixed(0)} µs a ping; ${waits})`;
    const what = `${streams} streams, ${PINGS_A_S} pings a second each`;
    return [
      { what: `${what}: share of a core of \`serve\``, measured: cost, goal: below(0.2, share, '20 %') },
      {
        what: `${what}: memory a stream, its connection included`,
        measured: `${kb.toFixed(0)} KB`,
        goal: below(80, kb, '80 KB'),
      },
    ];
  } finally {
    await helper.stop();
  }
}
