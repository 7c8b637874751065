// How the failure of a command is written, and the exit code that goes with it.

import { writeLastWords } from '../foreign-output.js';
import { printMessage } from './print.js';
import { tell } from './tell.js';
import { UsageError } from './usage.js';

/** The commands that run until they are stopped. All that they print is JSON, one line each. */
const LONG_RUNNING: readonly string[] = ['dev', 'serve', 'worker', 'gateway'];

/** Ends the process. @param command its name, as far as the command line has one */
export function endFailed(error: unknown, command: string | undefined): never {
  if (error instanceof UsageError || command === undefined || !LONG_RUNNING.includes(command)) {
    printMessage(tell(error));
    return process.exit(error instanceof UsageError ? 2 : 1);
  }
  const fields =
    error instanceof Error && 'code' in error ? { detail: error.message, code: error.code } : { err: error };
  writeLastWords(fields, `${command} cannot start`, command === 'gateway' ? 'latchkey-gateway' : 'latchkey');
  return process.exit(1);
}
