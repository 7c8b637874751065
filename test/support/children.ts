// The processes that this process has started: none of them outlives it.

import type { ChildProcess } from 'node:child_process';

/** How each of those that run is ended. */
const ends = new Map<ChildProcess, () => unknown>();

// One listener for all: each test file may have a dozen of them, and Node warns of more than ten listeners.
process.once('exit', () => {
  for (const end of ends.values()) end();
});

/**
 * Ends a child when this process exits, also if a test run dies.
 * @param end default: kills it
 */
export function endAtExit(child: ChildProcess, end: () => unknown = () => child.kill('SIGKILL')): void {
  ends.set(child, end);
  child.once('exit', () => ends.delete(child));
}
