// How the failure of a command is written, and the exit code that goes with it.

import { writeLastWords } from '../platform/output/foreign-output.js';
import { formatError } from './format-error.js';
import { printMessage } from './print.js';
import { UsageError } from './usage.js';

/** The commands that run until they are stopped. All that they print is JSON, one line each. */
const LONG_RUNNING: readonly unknown[] = ['dev', 'serve', 'worker', 'gateway'];

/** Whether a command runs until it is stopped. */
export const isLongRunning = (command: string | undefined): boolean => LONG_RUNNING.includes(command);

/** Ends the process. @param command its name, as far as the command line has one */
export function endFailed(error: unknown, command: string | undefined): never {
  if (error instanceof UsageError || !isLongRunning(command)) {
    printMessage(formatError(error));
    return process.exit(error instanceof UsageError ? 2 : 1);
  }
  const fields =
    error instanceof Error && 'code' in error ? { detail: error.message, code: error.code } : { err: error };
  writeLastWords(fields, `${command} cannot start`, command === 'gateway' ? 'latchkey-gateway' : 'latchkey');
  return process.exit(1);
}
