// Standard error, protected from native code.
// The embedded store's driver and Node itself write to file descriptor 2, and no hook in JavaScript can prevent that.

import { closeSync, fstatSync, openSync } from 'node:fs';

/** The file descriptor of the original standard error. */
let current = 2;

/** The file descriptor for lines on standard error. */
export const standardError = (): number => current;

/**
 * Redirects descriptor 2 to /dev/null, and keeps another descriptor for our own lines. Call it while no other thread
 * opens files. Changes nothing if the original cannot be reopened: a socket that is not also standard output.
 */
export function silenceNativeOutput(): void {
  if (current !== 2) return;
  const kept = otherDescriptor();
  if (kept === undefined) return;
  try {
    closeSync(2);
    // The system assigns the lowest free number: 2, unless the process was started with 0 or 1 closed.
    while (openSync('/dev/null', 'w') < 2);
    current = kept;
  } catch {
    // A system without /dev/null: our lines go to the same place as the output of native code.
  }
}

function otherDescriptor(): number | undefined {
  try {
    // One file for both streams: a second descriptor would have its own position, and overwrite lines of the first.
    if (isSameFile(1, 2)) return 1;
    return openSync('/dev/fd/2', 'a');
  } catch {
    return undefined;
  }
}

function isSameFile(a: number, b: number): boolean {
  const [one, other] = [fstatSync(a), fstatSync(b)];
  return one.dev === other.dev && one.ino === other.ino;
}
