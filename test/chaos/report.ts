// The report of a chaos run: its counts, and, for each broken promise, the part of the history that shows it.

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChaosOptions, ChaosResult } from './chaos.js';
import { countBy, outcomeName } from './counts.js';
import { quietCalls, undisturbedCalls } from './quiet.js';
import { type CallRecord, RULES, type Violation } from './record.js';
import { validationLine, validationLines } from './validation-report.js';

/** As many violations are printed; the file holds them all. */
const MOST_PRINTED = 5;
/** So much before and after a violation's calls is shown of the session and of the faults, ms. */
const AROUND_MS = 3_000;

/** The counts, as lines. */
export function summary({ seconds, seed, store }: ChaosOptions, { history, violations }: ChaosResult): string {
  const { calls, faults, stalls, validations } = history;
  const lines = [
    `chaos: ${seconds} s on ${store}, CHAOS_SEED=${seed}`,
    `${calls.length} calls, ${Math.round(calls.length / seconds)} a second`,
  ];
  for (const [kind, count] of countBy(calls, ({ kind }) => kind)) {
    const of = calls.filter((call) => call.kind === kind);
    const outcomes = [...countBy(of, outcomeName)].map(([name, n]) => `${name} ${n}`);
    const longestMs = Math.round(of.reduce((max, { fromMs, toMs }) => Math.max(max, toMs - fromMs), 0));
    lines.push(`  ${kind} ${count}: ${outcomes.join(', ')}; the longest took ${longestMs} ms`);
  }
  if (validations.length > 0) lines.push(...validationLines(history));
  lines.push(`${faults.length} faults`);
  for (const [kind, count] of countBy(faults, ({ kind }) => kind)) {
    const longest = Math.max(
      ...faults.filter((fault) => fault.kind === kind).map((f) => f.recoveredAfterMs ?? Infinity),
    );
    lines.push(`  ${kind} ${count}: served again after ${Math.round(longest)} ms at most`);
  }
  const quiet = quietCalls(history);
  lines.push(`${quiet.calls} calls while nothing was wrong, ${quiet.unanswered} of them without an answer`);
  const undisturbed = undisturbedCalls(history);
  if (undisturbed.calls > 0)
    lines.push(
      `${undisturbed.calls} calls while slots only moved, ${undisturbed.unanswered} of them without an answer`,
    );
  if (stalls.length > 0) lines.push(`the harness itself stalled ${stalls.length} times`);
  lines.push(`${violations.length} violations`);
  return lines.join('\n');
}

function callLine({ kind, node, fromMs, toMs, sid, gen, subject, deadlineMs, ...call }: CallRecord): string {
  const { outcome } = call;
  const got = outcome.is === 'granted' ? ` generation ${outcome.pair.gen} [${outcome.pair.claims}]` : '';
  const about = sid === undefined ? '' : ` ${sid} generation ${gen}`;
  const span = `${fromMs.toFixed(1)} to ${toMs.toFixed(1)} (deadline ${deadlineMs})`;
  return `${span} node ${node} ${kind} ${subject}${about}: ${outcomeName(call)}${got}`;
}

/** One violation, with what happened to its session and to the store around it. */
function describe({ rule, what, sid, calls, validations = [] }: Violation, { history }: ChaosResult): string {
  const shown = [...calls.map(callLine), ...validations.map(validationLine)].map((line) => `  > ${line}`);
  const lines = [`(${rule}) ${RULES[rule]}`, `  ${sid ?? ''} ${what}`, ...shown];
  const records = [...calls, ...validations];
  if (records.length === 0) return lines.join('\n');
  const fromMs = Math.min(...records.map((each) => each.fromMs)) - AROUND_MS;
  const toMs = Math.max(...records.map((each) => each.toMs)) + AROUND_MS;
  const subjects = new Set(records.map(({ subject }) => subject));
  const near = (span: { fromMs: number; toMs: number }): boolean => span.toMs >= fromMs && span.fromMs <= toMs;
  const cutsOff = ({ kind, subject }: CallRecord): boolean =>
    (kind === 'everywhere' || kind === 'revoke') && subjects.has(subject);
  const related = history.calls.filter(
    (call) => near(call) && ((call.sid === sid && sid !== undefined) || cutsOff(call)),
  );
  const names = new Set(validations.map(({ validator }) => validator));
  const validated = history.validations.filter((each) => near(each) && each.sid === sid && names.has(each.validator));
  const faults = history.faults
    .filter(near)
    .map((f) => `  fault ${f.fromMs.toFixed(1)} to ${f.toMs.toFixed(1)} ${f.kind}`);
  const losses = history.losses.filter(near).map((f) => `  loss ${f.fromMs.toFixed(1)} to ${f.toMs.toFixed(1)}`);
  return [
    ...lines,
    ...related.map((call) => `  ${callLine(call)}`),
    ...validated.map((each) => `  ${validationLine(each)}`),
    ...faults,
    ...losses,
  ].join('\n');
}

/** Violations for people; the whole of them, with the nodes' log lines of their sessions, is kept in a file. */
export function tellViolations(options: ChaosOptions, result: ChaosResult): string {
  const { violations, logs } = result;
  const described = violations.map((violation) => describe(violation, result));
  const sids = [...new Set(violations.flatMap(({ sid }) => (sid === undefined ? [] : [sid])))].slice(0, 50);
  // Lines about no call are all kept: they show when a node reached its store, and when it did not.
  const about = (line: string): boolean => sids.some((sid) => line.includes(sid)) || !/"(?:audit|method)":/.test(line);
  const lines = logs.flatMap((log, node) =>
    log
      .split('\n')
      .filter(about)
      .map((line) => `node ${node} ${line}`),
  );
  const file = join(tmpdir(), `latchkey-chaos-${options.seed}-${Date.now()}.txt`);
  writeFileSync(file, [summary(options, result), ...described, ...lines, ''].join('\n'));
  return [...described.slice(0, MOST_PRINTED), `all of it is in ${file}`].join('\n');
}
