// The section of many revocations: what a validator takes that holds them, and how soon another stream has caught up.

import { median } from '../figures.js';
import type { Subject } from '../validator/subject.js';
import { below, type Figure, grouped } from './figure.js';
import { Helper } from './helper.js';
import type { HolderQuestion, HolderReport } from './holder.js';

const PROGRAM = new URL('./holder.js', import.meta.url);
const MB = 1e6;
const CATCH_UPS = 3;

export async function held(subject: Subject, count: number): Promise<Figure[]> {
  const holder = await Helper.start(PROGRAM, { address: subject.address });
  try {
    const ask = (revocations: number): Promise<HolderReport> =>
      holder.ask({ revocations } satisfies HolderQuestion as HolderQuestion);
    const before = await ask(0);
    await subject.appendEnds(count);
    const after = await ask(count);
    const mb = (after.bytes - before.bytes) / MB;
    const caughtUpMs: number[] = [];
    for (let time = 0; time < CATCH_UPS; time++) caughtUpMs.push(await holder.ask<number>('catch up'));
    const ms = median(caughtUpMs);
    return [
      {
        what: `${grouped(count)} revocations held in a validator`,
        measured: `${mb.toFixed(1)} MB (${((mb * MB) / count).toFixed(0)} bytes each)`,
        goal: below(10, mb, '10 MB'),
      },
      {
        what: 'a new stream until it has caught up with them',
        measured: `${grouped(ms)} ms`,
        goal: below(1_000, ms, '1 s'),
      },
    ];
  } finally {
    await holder.stop();
  }
}
