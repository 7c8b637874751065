// The figures in bench/README.md: they are between two marks, and are made anew by each run.

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

/** All figures so far, as they are in the document. */
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

/** The sections of a document that results lack: to write them would remove figures that were not measured anew. */
export function lackingIn({ scenarios, growth }: Results, document: string): string[] {
  const known = new Set([...Object.keys(scenarios), ...(growth.length > 0 ? ['Growth'] : [])]);
  const sections = [...document.matchAll(/^### (\S+)$/gm)].map(([, name = '']) => name);
  return sections.filter((name) => !known.has(name));
}

/**
 * Writes the figures into bench/README.md, unless it holds sections that were not measured on this machine.
 * @returns why it was left as it is; undefined: it was written
 * @throws Error if the marks are not there
 */
export function writeReadme(): string | undefined {
  const text = readFileSync(FILE, 'utf8');
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  if (before === undefined || after === undefined) throw new Error(`${FILE} must hold ${BEGIN} and ${END}`);
  const results = readResults();
  const lacking = lackingIn(results, text);
  if (lacking.length > 0) {
    return `bench/README.md is left as it is: this machine has no figures for ${lacking.join(', ')}; run them as well`;
  }
  writeFileSync(FILE, `${before}${BEGIN}\n\n${figuresText(results)}\n\n${END}${after}`);
  return undefined;
}
