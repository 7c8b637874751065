// Standard error, and how it is kept from native code: the embedded store's driver and Node itself print to descriptor 2
// past every hook of JavaScript.

import { closeSync, fstatSync, openSync } from 'node:fs';

/** The descriptor that leads to standard error as the process was started with. */
let current = 2;

/** Where lines for standard error are written. */
export const standardError = (): number => current;

/**
 * Points descriptor 2 at /dev/null, and keeps another descriptor for our own lines. To be called while no other thread
 * opens files. Changes nothing where standard error can be kept in no other way: a socket that is not standard output's.
 */
export function silenceNativeOutput(): void {
  if (current !== 2) return;
  const kept = otherDescriptor();
  if (kept === undefined) return;
  try {
    closeSync(2);
    // The lowest number that is free, which is 2, unless the process was started with 0 or 1 closed.
    while (openSync('/dev/null', 'w') < 2);
    current = kept;
  } catch {
    // A system without /dev/null: the lines go where native code prints.
  }
}

function otherDescriptor(): number | undefined {
  try {
    // One file for both: another descriptor of it would have a position of its own, and write over the lines of the first.
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
