// The output of the command line: results on standard output, messages on standard error.

import { writeSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { standardStream } from '../platform/log-destination.js';
import type { CommandIo } from './command-io.js';

/** How long to wait while the pipe is full, ms. */
const WAIT_MS = 5;

/** The result could not be written. */
export class ResultUnwritable extends Error {
  readonly code = 'RESULT_UNWRITABLE';
  override readonly name = 'ResultUnwritable';
}

/** The streams of this process. */
export const processIo = (env: NodeJS.ProcessEnv): CommandIo => ({
  env,
  exitCode: 0,
  readInput: () => readAll(process.stdin),
  printResult,
  printMessage: (text) => standardStream(2).write(messageLines(text)),
});

/** Writes the complete result. Ends the process if the reader has closed the pipe. @throws ResultUnwritable */
function printResult(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      else if (code === 'EPIPE') process.exit(1);
      else throw new ResultUnwritable(`the result cannot be written: ${message}`, { cause: error });
    }
  }
}

/** A message for the user. Further lines are indented, to show that they belong to it. */
export function messageLines(text: string): string {
  const [first = '', ...further] = text.trimEnd().split('\n');
  const lines = further.map((line) => (line.startsWith('  ') ? line : `  ${line}`));
  return `${[`latchkey: ${first}`, ...lines].join('\n')}\n`;
}
