// Owns `npm run faults`: every fault of Redis is inflicted once, and what was measured is printed as a Markdown table.

import { Stage } from '../e2e/stage.js';
import { setScene } from './fault-scene.js';
import { REDIS_FAULTS } from './redis-faults.js';
import type { CallKind, Made } from './round.js';
import { START_FAULTS, tryStart } from './start-faults.js';
import { type Trial, tryFault } from './trial.js';

const HEAD = [
  'Redis is …',
  'ValidateToken, IssueToken',
  'RefreshToken, Logout',
  'The same by REST',
  'Health',
  'Whole again after',
];

const print = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);
const ms = (value: number): string => `${Math.max(1, Math.round(value))} ms`;

/** Answers with the median and the longest of their times. */
function told(made: readonly Made[]): string {
  const heards = [...new Set(made.map(({ heard }) => heard))].sort();
  return heards
    .map((heard) => {
      const times = made
        .filter((each) => each.heard === heard)
        .map((each) => each.ms)
        .sort((a, b) => a - b);
      return `${heard} ${ms(times[Math.floor(times.length / 2)] ?? 0)} / ${ms(times.at(-1) ?? 0)}`;
    })
    .join(', ');
}

/** What is heard of the node that is struck, and before that what was heard at once, where that is another thing. */
function cell({ atOnce, made }: Trial, kind: CallKind): string {
  const at = (some: readonly Made[]) => some.filter((each) => each.at === 'near' && each.kind === kind);
  const first = at(atOnce).toSorted((a, b) => b.ms - a.ms);
  const [slowest] = first;
  const lasting = told(at(made));
  const same = slowest === undefined || (lasting.startsWith(slowest.heard) && slowest.ms < 50);
  return same
    ? lasting
    : `${lasting} (at first ${[...new Set(first.map(({ heard }) => heard))].join(' or ')}, at most ${ms(slowest.ms)})`;
}

const stage = new Stage();
try {
  const scene = await setScene(stage);
  print(HEAD);
  print(HEAD.map(() => '---'));
  for (const fault of REDIS_FAULTS) {
    const trial = await tryFault(fault, scene);
    if (trial.faults.length > 0) throw new Error(`${fault.name}: ${trial.faults.join('; ')}`);
    const health = trial.noticedMs === undefined ? 'SERVING' : `NOT_SERVING after ${ms(trial.noticedMs)}`;
    print([fault.name, cell(trial, 'read'), cell(trial, 'write'), cell(trial, 'rest'), health, ms(trial.recoveredMs)]);
  }
  for (const fault of START_FAULTS) {
    const { startedMs, made, recoveredMs } = await tryStart(fault, scene);
    const [reads, writes] = (['read', 'write'] as const).map((kind) => told(made.filter((each) => each.kind === kind)));
    print([
      fault.name,
      reads ?? '',
      writes ?? '',
      '503',
      `NOT_SERVING; listens after ${ms(startedMs)}`,
      ms(recoveredMs),
    ]);
  }
} finally {
  await stage.clear();
}
