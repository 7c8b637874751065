// `npm run bench`: what Latchkey's calls cost beside bare ones.

import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { Lab } from './lab.js';
import { type Options, readOptions } from './options.js';
import { writeReadme } from './readme.js';
import { forgetScenarios, keepResults, type Result, readResults } from './results.js';
import type { Row } from './row.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { rowsTable, targetsTable } from './tables.js';

/** The peer is not of the whole: it needs the network. */
const isChosen =
  ({ only, peer }: Options) =>
  ({ name }: Scenario): boolean =>
    only?.includes(name) ?? (name !== 'peer' || peer);

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** @returns what is wrong with scenarios that have no figures */
async function bench(options: Options): Promise<readonly string[]> {
  const { rounds, seconds, quick } = options;
  if (!quick && options.only === undefined) forgetScenarios();
  const lab = await Lab.open(options);
  const all: Row[] = [];
  const faults: string[] = [];
  try {
    for (const scenario of SCENARIOS.filter(isChosen(options))) {
      try {
        const rows = await scenario.run(lab);
        all.push(...rows);
        print(`\n${scenario.name}\n\n${rowsTable(rows)}`);
        if (!quick) keep(scenario.name, { day: new Date().toISOString().slice(0, 10), rounds, seconds, rows });
      } catch (error) {
        // The others are worth something all the same.
        faults.push(`${scenario.name} has no figures: ${textOf(error)}`);
      }
    }
  } finally {
    await lab.close();
  }
  print(`\n${targetsTable(all)}`);
  return faults;
}

function keep(name: string, result: Result): void {
  const before = readResults();
  keepResults({ ...before, scenarios: { ...before.scenarios, [name]: result } });
  const left = writeReadme();
  if (left !== undefined) print(left);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);

try {
  const names = SCENARIOS.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  leaveServerCore();
  endWithChildren();
  const faults = await bench(options);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  process.exitCode = 1;
}
