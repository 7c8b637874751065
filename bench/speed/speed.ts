// Owns `npm run bench`: what Latchkey's calls cost beside bare ones.

import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { Lab } from './lab.js';
import { type Options, readOptions } from './options.js';
import { writeReadme } from './readme.js';
import { forgetResults, keepResults, readResults } from './results.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { rowsTable, targetsTable } from './tables.js';

/** The peer is not of the whole: it needs the network. */
const isChosen =
  ({ only, peer }: Options) =>
  ({ name }: Scenario): boolean =>
    only?.includes(name) ?? (name !== 'peer' || peer);

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

async function bench(options: Options): Promise<void> {
  const { rounds, seconds, quick } = options;
  if (!quick && options.only === undefined) forgetResults();
  const lab = await Lab.open(options);
  const all = [];
  try {
    for (const scenario of SCENARIOS.filter(isChosen(options))) {
      const rows = await scenario.run(lab);
      all.push(...rows);
      tell(`\n${scenario.name}\n\n${rowsTable(rows)}`);
      if (quick) continue;
      const before = readResults();
      const result = { day: new Date().toISOString().slice(0, 10), rounds, seconds, rows };
      keepResults({ ...before, scenarios: { ...before.scenarios, [scenario.name]: result } });
      writeReadme();
    }
  } finally {
    await lab.close();
  }
  tell(`\n${targetsTable(all)}`);
}

try {
  const names = SCENARIOS.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  leaveServerCore();
  endWithChildren();
  await bench(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
