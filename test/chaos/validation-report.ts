// What is printed of the validators of a chaos run.

import { cannotTellLines } from './cannot-tell.js';
import { countBy, outcomeName } from './counts.js';
import { knownEnds } from './known-ends.js';
import type { History, ValidationRecord } from './record.js';
import { MAX_STALENESS_MS } from './validator-process.js';

const demandOf = ({ stalenessMs }: ValidationRecord): string =>
  stalenessMs === undefined ? 'strict' : `within ${stalenessMs} ms`;

/** The validators' calls by validator, staleness and answer, and when logouts were known to them. */
export function validationLines(history: History): string[] {
  const { validations } = history;
  const kindOf = (each: ValidationRecord): string => `${each.validator}, ${demandOf(each)}`;
  const lines = [`${validations.length} validations by validators`];
  for (const [kind, count] of countBy(validations, kindOf)) {
    const of = validations.filter((each) => kindOf(each) === kind);
    const outcomes = [...countBy(of, outcomeName)].map(([name, n]) => `${name} ${n}`);
    const longestMs = Math.round(of.reduce((max, { fromMs, toMs }) => Math.max(max, toMs - fromMs), 0));
    lines.push(`  ${kind} ${count}: ${outcomes.join(', ')}; the longest took ${longestMs} ms`);
  }
  const ends = knownEnds(history, MAX_STALENESS_MS);
  const known = ends.flatMap(({ knownMs }) => (knownMs === undefined ? [] : [knownMs])).sort((a, b) => a - b);
  const logouts = new Set(
    history.calls.filter(({ kind, outcome }) => kind === 'logout' && outcome.is === 'done').map(({ sid }) => sid),
  );
  const latestMs = ends.reduce((max, { activeUntilMs }) => Math.max(max, activeUntilMs), 0);
  const meanMs = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const meanActiveMs = ends.reduce((sum, { activeUntilMs }) => sum + activeUntilMs, 0) / ends.length;
  const share = (part: number): number => Math.round(known[Math.floor(part * (known.length - 1))] ?? Number.NaN);
  lines.push(
    `${logouts.size} sessions logged out, ${ends.length} times one that a validator had called active within the last ${MAX_STALENESS_MS} ms:`,
    `  called active until ${latestMs.toFixed(1)} ms after the logout's answer at most, ${Math.round(meanActiveMs)} ms on the average`,
    `  first called not active ${Math.round(meanMs)} ms after it on the average, half of them after ${share(0.5)} ms, 99 % after ${share(0.99)} ms`,
  );
  return [...lines, ...cannotTellLines(history, MAX_STALENESS_MS)];
}

/** One validation. */
export function validationLine(each: ValidationRecord): string {
  const { validator, fromMs, handedMs, toMs, subject, sid, gen } = each;
  const span = `${fromMs.toFixed(1)} to ${toMs.toFixed(1)} (handed over at ${handedMs.toFixed(1)})`;
  return `${span} validator ${validator}, ${demandOf(each)}, ${subject} ${sid} generation ${gen}: ${outcomeName(each)}`;
}
