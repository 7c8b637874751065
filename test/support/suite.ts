// `npm test`: runs all test files, several at a time, then those that must run apart, and prints the sum of all parts.
//
// Arguments: folders of tests, such as test/e2e; without any, all of them.

import { readdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import { mochaHooks } from './root-hooks.js';
import { ALONE, FIRST, TIMED } from './suite-files.js';
import { elapse } from './waiting.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const HOOKS = fileURLToPath(new URL('./root-hooks.js', import.meta.url));
/** How many files run at a time for each processor: most of them wait for most of their time, as for a failover. */
const JOBS = { idle: 4, busy: 2 };
/** The share of that for files with bounds on time: they must leave each other enough of a processor. */
const TIMED_SHARE = 0.5;
/** Processors that are idle for less than this share of their time are busy with other work. */
const IDLE_SHARE = 0.5;
const LOOK_MS = 500;

/** How long this process may take to end after the last test, ms. It is longer if a file of `ALONE` left a timer. */
const END_MS = 5_000;
/** How long a test or a hook may take that names no limit of its own, ms. */
const LIMIT_MS = 60_000;

/** How many failures are listed again at the end, and how many lines of each. The output of its part has all of it. */
const MOST = { failures: 20, lines: 8 };

interface Outcome {
  readonly passed: number;
  readonly pending: number;
  readonly failed: number;
  /** Each failed test or hook: its file, its title, and the first lines of its error. */
  readonly failures: readonly string[];
}

const compiled = (source: string): string => `dist/${source.replace(/\.ts$/, '.js')}`;
const sourceOf = (path: string): string => path.replace(/^dist\//, '').replace(/\.js$/, '.ts');

/** All compiled test files: those that take longest first, then the others by name. */
function testFiles(): string[] {
  const first = FIRST.map(compiled);
  const names = readdirSync(`${PROJECT}dist/test`, { recursive: true, encoding: 'utf8' });
  const all = names
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => `dist/test/${name.replaceAll('\\', '/')}`);
  return [...first, ...all.filter((path) => !first.includes(path)).sort()];
}

/** What all processors together have spent so far, and how much of it without work, ms. */
function processorTimes(): { readonly allMs: number; readonly idleMs: number } {
  const times = cpus().map((each) => each.times);
  const allMs = times.flatMap(Object.values).reduce((sum: number, ms: number) => sum + ms, 0);
  return { allMs, idleMs: times.reduce((sum, { idle }) => sum + idle, 0) };
}

/** Whether other work keeps the processors busy now. */
async function isBusy(): Promise<boolean> {
  const before = processorTimes();
  await elapse(LOOK_MS, 'the time that is looked at');
  const after = processorTimes();
  return after.idleMs - before.idleMs < IDLE_SHARE * (after.allMs - before.allMs);
}

function describeFailure(test: Mocha.Runnable, error: unknown): string {
  const file = test.file === undefined ? '' : `${sourceOf(relative(PROJECT, test.file))}: `;
  const lines = String(error instanceof Object && 'message' in error ? error.message : error).split('\n');
  return [`${file}${test.fullTitle()}`, ...lines.slice(0, MOST.lines).map((line) => `  ${line}`)].join('\n    ');
}

/** @param jobs how many files run at the same time; mocha runs a single one in this process, by other hooks */
const mochaFor = (jobs: number): Mocha =>
  jobs > 1
    ? new Mocha({ ...options, require: [HOOKS], parallel: true, jobs })
    : new Mocha({ ...options, rootHooks: mochaHooks });

/** Runs a part of the suite to its end. */
async function run(mocha: Mocha, files: readonly string[]): Promise<Outcome> {
  if (files.length === 0) return { passed: 0, pending: 0, failed: 0, failures: [] };
  for (const path of files) mocha.addFile(`${PROJECT}${path}`);
  if (!mocha.options.parallel) await mocha.loadFilesAsync();
  return new Promise((resolve) => {
    const failures: string[] = [];
    const runner = mocha.run((failed) => {
      const { passes: passed = 0, pending = 0 } = runner.stats ?? {};
      resolve({ passed, pending, failed, failures });
    });
    runner.on('fail', (test, error) => failures.push(describeFailure(test, error)));
  });
}

const startMs = performance.now();
const options: Mocha.MochaOptions = { timeout: LIMIT_MS, forbidOnly: true };
const processors = availableParallelism();
const state = (await isBusy()) ? 'busy' : 'idle';
const jobs = Number(process.env['TEST_JOBS'] || JOBS[state] * processors);
const timed = Object.keys(TIMED).map(compiled);
const alone = Object.keys(ALONE).map(compiled);
const folders = process.argv.slice(2).map((folder) => `dist/${folder.replace(/\/*$/, '/')}`);
const files = testFiles().filter((path) => folders.length === 0 || folders.some((folder) => path.startsWith(folder)));
const apart = [...timed, ...alone];

const parts = [
  await run(
    mochaFor(jobs),
    files.filter((path) => !apart.includes(path)),
  ),
  await run(
    mochaFor(Math.floor(TIMED_SHARE * jobs)),
    timed.filter((path) => files.includes(path)),
  ),
  await run(
    mochaFor(1),
    alone.filter((path) => files.includes(path)),
  ),
];

const sum = (of: (outcome: Outcome) => number): number => parts.reduce((total, each) => total + of(each), 0);
const failed = sum((outcome) => outcome.failed);
process.stdout.write(
  `All parts, in ${Math.round((performance.now() - startMs) / 1_000)} s, ${jobs} files at a time:\n`,
);
process.stdout.write(`  ${sum(({ passed }) => passed)} passing\n`);
process.stdout.write(`  ${sum(({ pending }) => pending)} pending\n`);
if (failed > 0) process.stdout.write(`  ${failed} failing\n`);
// Those of the first parts are far above.
const failures = parts.flatMap((outcome) => outcome.failures);
for (const failure of failures.slice(0, MOST.failures)) process.stdout.write(`\n    ${failure}\n`);
if (failures.length > MOST.failures) process.stdout.write(`\n    and ${failures.length - MOST.failures} more\n`);
process.exitCode = failed > 0 ? 1 : 0;
setTimeout(() => {
  const open = process.getActiveResourcesInfo().filter((resource) => !/^(?:PipeWrap|TTYWrap)$/.test(resource));
  process.stderr.write(`a file of ALONE (test/support/suite-files.ts) left something open: ${open.join(', ')}\n`);
  process.exit(1);
}, END_MS).unref();
