// The sections of docs/clients.md: the files that each one has its reader write, and the commands that it gives.

import { readText } from '../docs/markdown.js';

/** One language of the page. */
export interface Section {
  /** Text by path, relative to the folder of the client. */
  readonly files: ReadonlyMap<string, string>;
  /** The shell blocks, joined. */
  readonly script: string;
  /** The blocks in plain text, joined: what the programs print. */
  readonly output: string;
}

// A code block; the line before it is its path where it is a file to write.
const BLOCK = /(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms;

/** @throws Error if the page has no such section, or the section no code */
export function section(heading: string): Section {
  const [, text = ''] = readText('docs/clients.md').split(`\n## ${heading}\n`);
  const [body = ''] = text.split(/^## /m);
  const blocks = [...body.matchAll(BLOCK)].map(([, path, language, code = '']) => ({ path, language, code }));
  if (blocks.length === 0) throw new Error(`docs/clients.md has no code below "## ${heading}"`);
  const joined = (wanted: string): string =>
    blocks.flatMap(({ path, language, code }) => (path === undefined && language === wanted ? [code] : [])).join('');
  const files = blocks.flatMap(({ path, code }) => (path === undefined ? [] : [[path, code] as const]));
  return { files: new Map(files), script: joined('sh'), output: joined('text') };
}
