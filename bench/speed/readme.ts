// The figures in bench/README.md: they stand between two marks, and are made anew by each run.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CALM } from '../growth/growth.js';
import { growthTable } from '../growth/table.js';
import { facts } from '../machine/facts.js';
import { SETTINGS } from '../servers/latchkey.js';
import { REDIS_ARGS } from '../stores/filled.js';
import { FULL } from './lab.js';
import { type Results, readResults } from './results.js';
import { REST_CONNECTIONS } from './scenarios/rest.js';
import { rowsTable, targetsTable } from './tables.js';

const FILE = fileURLToPath(new URL('../../../bench/README.md', import.meta.url));
const [BEGIN, END] = ['<!-- figures -->', '<!-- end of figures -->'];

const settings = (): string =>
  Object.entries(SETTINGS)
    .map(([name, value]) => `\`${name}=${value}\``)
    .join(', ');

function preamble(): string {
  const { machine, versions, placed } = facts();
  return [
    `- Machine: ${machine}; ${placed}.`,
    `- Versions: ${versions}.`,
    `- Load: ${FULL.connections} connections with ${FULL.streams} calls at once each; by REST ${REST_CONNECTIONS} connections.`,
    `- Service: ${settings()}, \`NODE_ENV=production\`, all else by default, its log in a file.`,
    `- Redis: \`${REDIS_ARGS.join(' ')} --save '' --appendfsync always\`.`,
  ].join('\n');
}

const rowsOf = ({ scenarios }: Results) => Object.values(scenarios).flatMap(({ rows }) => rows);

/** All figures so far, as they stand in the document. */
export function figuresText(results: Results): string {
  const parts = [preamble()];
  for (const [name, { day, rounds, seconds, rows }] of Object.entries(results.scenarios)) {
    const when = `\`npm run bench -- --only ${name}\`, ${day}, ${rounds} rounds of ${seconds} s`;
    if (rows.length > 0) parts.push(`### ${name}\n\n${when}\n\n${rowsTable(rows)}`);
  }
  parts.push(`### What was to be reached\n\n${targetsTable(rowsOf(results))}`);
  if (results.growth.length > 0) {
    const calm = `Calm: ${CALM.validate} validate or ${CALM.refresh} refreshes a second, at random moments.`;
    parts.push(`### Growth\n\n\`npm run bench:growth\`. ${calm}\n\n${growthTable(results.growth)}`);
  }
  return parts.join('\n\n');
}

/** @throws Error if the marks are not there */
export function writeReadme(): void {
  const text = readFileSync(FILE, 'utf8');
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  if (before === undefined || after === undefined) throw new Error(`${FILE} must hold ${BEGIN} and ${END}`);
  writeFileSync(FILE, `${before}${BEGIN}\n\n${figuresText(readResults())}\n\n${END}${after}`);
}
