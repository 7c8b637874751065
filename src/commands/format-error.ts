// The text of an error for the user of the command line.

import { UsageError } from './usage.js';

/** An error that the user can fix is shown as its message, a bug of ours with its stack. */
export function formatError(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nRun \`latchkey --help\` for the commands and options.`;
  if (!(error instanceof Error)) return String(error);
  // An error with a code has a known cause: a setting, a file, an address, a call. One without a code is a bug.
  return 'code' in error ? error.message : (error.stack ?? error.message);
}
