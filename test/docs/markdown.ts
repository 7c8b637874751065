// Owns the reading of the project's own files by tests: a file's text, and the tables and code blocks of Markdown.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder, from dist/test/docs. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** @param path from the project's folder */
export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A table's rows, without its head, each as its cells. */
export type Rows = readonly (readonly string[])[];

/**
 * The first table below a heading.
 * @param heading the whole line, such as `## Settings`
 * @throws Error if there is none: a table that has moved must not be a test that checks nothing
 */
export function tableBelow(text: string, heading: string): Rows {
  const lines = text.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const rest = lines.slice(from + 1);
  const next = rest.findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 7) <= level);
  const section = next < 0 ? rest : rest.slice(0, next);
  const start = section.findIndex((line) => line.startsWith('|'));
  const end = section.findIndex((line, index) => index > start && !line.startsWith('|'));
  const rows = start < 0 ? [] : section.slice(start, end < 0 ? undefined : end).map(cellsOf);
  if (rows.length < 3) throw new Error(`there is no table below "${heading}"`);
  const [head = []] = rows;
  const odd = rows.find((row) => row.length !== head.length);
  if (odd)
    throw new Error(`a row below "${heading}" has ${odd.length} cells, its head ${head.length}: ${odd.join(' | ')}`);
  return rows.slice(2);
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
