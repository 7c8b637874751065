// Owns how a failure is told to whoever started the program.

import { UsageError } from './usage.js';

/** What the user can mend is said in words; only what is our own fault comes with a stack. */
export function formatError(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nRun \`latchkey --help\` for what there is.`;
  if (!(error instanceof Error)) return String(error);
  // A code is a cause with a name: a setting, a file, an address, a call. Without one it is a fault of ours.
  return 'code' in error ? error.message : (error.stack ?? error.message);
}
