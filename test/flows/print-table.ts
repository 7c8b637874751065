// `npm run flows`: prints how many functions and files of the project a call enters; with `-- --list` their names, too.

import { COLUMNS, rowOf } from './coverage.js';
import { measureFlows } from './flows.js';

const print = (cells: readonly unknown[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);

const flows = await measureFlows();
print(COLUMNS);
print(COLUMNS.map(() => '---'));
for (const { name, called } of flows) print(rowOf(name, called));
if (process.argv.includes('--list')) {
  for (const { name, called } of flows) process.stdout.write(`\n${name}\n${[...called.keys()].join('\n')}\n`);
}
