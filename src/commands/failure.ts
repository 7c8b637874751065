// The end of a failed command: its message and its exit code.

import { standardStream } from '../platform/log-destination.js';
import { writeLastWords } from '../platform/output/foreign-output.js';
import { formatError } from './format-error.js';
import { messageLines } from './print.js';
import { UsageError } from './usage.js';

/** The commands that run until they are stopped. They print only JSON lines. */
const LONG_RUNNING: readonly unknown[] = ['dev', 'serve', 'worker', 'gateway'];

/** Whether a command runs until it is stopped. */
export const isLongRunning = (command: string | undefined): boolean => LONG_RUNNING.includes(command);

/** What a failed command prints on standard error, and its exit code. */
export const failureOf = (error: unknown): { readonly message: string; readonly exitCode: number } => ({
  message: messageLines(formatError(error)),
  exitCode: error instanceof UsageError ? 2 : 1,
});

/** Ends the process. @param command the name of the command, if there is one */
export function endFailed(error: unknown, command: string | undefined): never {
  if (error instanceof UsageError || !isLongRunning(command)) {
    const { message, exitCode } = failureOf(error);
    standardStream(2).write(message);
    return process.exit(exitCode);
  }
  const fields =
    error instanceof Error && 'code' in error ? { detail: error.message, code: error.code } : { err: error };
  writeLastWords(fields, `${command} cannot start`, command === 'gateway' ? 'latchkey-gateway' : 'latchkey');
  return process.exit(1);
}
