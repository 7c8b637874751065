// The code of docs/integrations.md: the files that it has its reader write, and the commands that it gives.

import { readText } from '../docs/markdown.js';

// A code block; the line before it is its path where it is a file to write.
const BLOCK = /(?:^`([^`\n]+)`[^\n]*:\n\n)?^```(\w+)\n(.*?)^```$/gms;

interface Block {
  readonly path: string | undefined;
  readonly language: string;
  readonly code: string;
}

const blocks = (): readonly Block[] =>
  [...readText('docs/integrations.md').matchAll(BLOCK)].map(([, path, language = '', code = '']) => ({
    path,
    language,
    code,
  }));

/** @throws Error if the page has no such file */
export function fileOnPage(path: string): string {
  const found = blocks().find((block) => block.path === path);
  if (!found) throw new Error(`docs/integrations.md has no file ${path}`);
  return found.code;
}

/** The blocks of a language that are no files of their own, joined. */
export const codeOnPage = (language: string): string =>
  blocks()
    .filter((block) => block.path === undefined && block.language === language)
    .map(({ code }) => code)
    .join('');
