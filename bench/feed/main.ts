// `npm run bench:feed`: what validation by the revocation feed costs, against what was to be reached.

import { line, table } from '../figures.js';
import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { facts } from '../machine/facts.js';
import { cellsOf, TITLES } from './figure.js';
import { readOptions, SECTIONS } from './sections.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<void> {
  const { names, scale } = readOptions(process.argv.slice(2));
  leaveServerCore();
  endWithChildren();
  const { machine, versions, placed } = facts();
  print(`- Machine: ${machine}; ${placed}.\n- Versions: ${versions}.\n`);
  print(table(TITLES, []));
  // Each section's lines as soon as it has ended.
  for (const name of names) for (const figure of await SECTIONS[name](scale)) print(line(cellsOf(figure)));
}

await run();
