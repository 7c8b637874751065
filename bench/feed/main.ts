// `npm run bench:feed`: what validation by the revocation feed costs, against what was to be reached.

import { table } from '../figures.js';
import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { facts } from '../machine/facts.js';
import { cellsOf, type Figure, TITLES } from './figure.js';
import { readOptions, SECTIONS } from './sections.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<void> {
  const { names, scale } = readOptions(process.argv.slice(2));
  leaveServerCore();
  endWithChildren();
  const { machine, versions, placed } = facts();
  print(`- Machine: ${machine}; ${placed}.\n- Versions: ${versions}.\n`);
  const figures: Figure[] = [];
  for (const name of names) figures.push(...(await SECTIONS[name](scale)));
  print(table(TITLES, figures.map(cellsOf)));
}

await run();
