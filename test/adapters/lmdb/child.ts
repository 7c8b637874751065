// A second process on a data folder: it writes as its arguments say, and reports what was acknowledged.

import { LmdbStore } from '../../../src/adapters/lmdb/lmdb-store.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';

/** The messages that the child sends. */
export type ChildMessage =
  | { readonly acknowledged: string; readonly subject: string }
  | { readonly failed: string; readonly code: unknown }
  | { readonly done: true };

const HOUR_MS = 3_600_000;
const [, , dataDir = '', task, count = '0'] = process.argv;
const silent = () => {};
const store = LmdbStore.open({ dataDir, log: { info: silent, error: silent } });
const report = (message: ChildMessage) => process.send?.(message);
const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });
const swap = (key: StoreKey, expected: string | undefined, value: string) =>
  store.compareAndSet(key, expected, { value, atLeastMs: 0, lifetimeMs: HOUR_MS, notAfterMs: store.now() + HOUR_MS });

async function writeOne(subject: string): Promise<void> {
  const { current = '' } = await swap(cutOff(subject), undefined, 'x'.repeat(400));
  report({ acknowledged: current, subject });
}

/** Writes entries, some at a time, until it is ended, or the disk refuses. */
async function write(): Promise<void> {
  for (let i = 0; i < Number(count); ) {
    const several = Array.from({ length: 1 + (i % 7) }, () => writeOne(`user ${i++}`));
    const refused = (await Promise.allSettled(several)).find(({ status }) => status === 'rejected');
    if (refused?.status === 'rejected') throw refused.reason;
  }
}

/** Adds to a counter that others add to as well. */
async function add(): Promise<void> {
  let [standing] = await store.read([cutOff('counter')]);
  for (let done = 0; done < Number(count); ) {
    const { applied, current } = await swap(cutOff('counter'), standing, `${Number(standing?.split(' ')[2] ?? 0) + 1}`);
    standing = current;
    if (applied) done++;
  }
}

try {
  await (task === 'add' ? add() : write());
  report({ done: true });
} catch (error) {
  const { message, code } = error as { message: string; code?: unknown };
  report({ failed: message, code });
  // What is there must still be readable.
  await store.read([cutOff('user 0')]);
}
await store.close();
process.disconnect?.();
