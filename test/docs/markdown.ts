// The project's own files as tests read them: a file's text, and the tables and code blocks of Markdown.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder, from dist/test/docs. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** @param path from the project's folder */
export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A table's rows, without its head, each as its cells. */
export type Rows = readonly (readonly string[])[];

/** All documents of the project, by their paths. */
export const DOCUMENTS: readonly string[] = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md'],
  ...readdirSync(join(ROOT, 'examples')).map((name) => `examples/${name}/README.md`),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/**
 * The first table below a heading.
 * @param heading the whole line, such as `## Settings`
 * @throws Error if there is none: a table that has moved must not be a test that checks nothing
 */
export function tableBelow(text: string, heading: string): Rows {
  const [first] = readTables(text, heading);
  if (!first) throw new Error(`there is no table below "${heading}"`);
  return first;
}

/** The rows of all tables below a heading. @throws Error if there is none */
export function tablesBelow(text: string, heading: string): Rows {
  const tables = readTables(text, heading);
  if (tables.length === 0) throw new Error(`there is no table below "${heading}"`);
  return tables.flat();
}

/** The tables of a section and its subsections, each without its head. */
function readTables(text: string, heading: string): readonly Rows[] {
  const lines = text.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const rest = lines.slice(from + 1);
  const next = rest.findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 7) <= level);
  const section = (next < 0 ? rest : rest.slice(0, next)).join('\n');
  return [...section.matchAll(/(?:^\|.*\n?)+/gm)].map(([table]) => {
    const [head = [], , ...rows] = table.trimEnd().split('\n').map(cellsOf);
    const odd = rows.find((row) => row.length !== head.length);
    if (odd || rows.length === 0) {
      throw new Error(
        `below "${heading}" each row must have the ${head.length} cells of the head: ${odd?.join(' | ')}`,
      );
    }
    return rows;
  });
}

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

/** The first piece of code in a cell; undefined if it has none. */
export const codeOf = (cell: string | undefined): string | undefined => /`([^`]*)`/.exec(cell ?? '')?.[1];

/** The lines of all code blocks of a language. */
export const codeLines = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)]
    .filter(([, found]) => found === language)
    .flatMap(([, , code = '']) => code.trimEnd().split('\n'));
