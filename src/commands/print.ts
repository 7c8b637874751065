// The output of the command line: results on standard output, messages on standard error.

import { writeSync } from 'node:fs';
import { standardStream } from '../platform/log-destination.js';

/** How long to wait while the pipe is full, ms. */
const WAIT_MS = 5;

/** The result could not be written. */
export class ResultUnwritable extends Error {
  readonly code = 'RESULT_UNWRITABLE';
  override readonly name = 'ResultUnwritable';
}

/** Writes the complete result. Ends the process if the reader has closed the pipe. @throws ResultUnwritable */
export function printResult(text: string): void {
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

/** Writes a message for the user. Further lines are indented, to show that they belong to it. */
export function printMessage(text: string): void {
  const [first = '', ...further] = text.trimEnd().split('\n');
  const lines = further.map((line) => (line.startsWith('  ') ? line : `  ${line}`));
  standardStream(2).write(`${[`latchkey: ${first}`, ...lines].join('\n')}\n`);
}
