// A clock that is off: loaded before a process under test, it moves all that the process sees of the wall clock.
// CLOCK_SHIFT_MS says by how much; at SIGUSR2 the file CLOCK_FILE, if one is named, says it anew.

import { readFileSync } from 'node:fs';

let shiftMs = Number(process.env['CLOCK_SHIFT_MS'] ?? 0);
const clockFile = process.env['CLOCK_FILE'];
const trueNow = Date.now.bind(Date);
const TrueDate = Date;

class ShiftedDate extends TrueDate {
  constructor(...args: [] | [number | string | Date]) {
    if (args.length === 0) super(trueNow() + shiftMs);
    else super(args[0]);
  }
  static override now(): number {
    return trueNow() + shiftMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;

if (clockFile !== undefined) {
  process.on('SIGUSR2', () => {
    shiftMs = Number(readFileSync(clockFile, 'utf8'));
  });
}
