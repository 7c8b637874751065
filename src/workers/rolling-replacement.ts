// The rolling replacement of workers, slot by slot: an old worker ends once its successor serves.

import type { Logger } from '../platform/log.js';
import type { WorkerHandle } from './worker-handle.js';
import { logEnd, type WorkerSlot } from './worker-slot.js';

export interface ReplacementParts {
  readonly log: Logger;
  readonly slots: readonly WorkerSlot[];
  /** Starts a worker. */
  readonly fork: () => WorkerHandle;
  readonly isStopping: () => boolean;
  /** How long a new worker may take to reach its store, ms. */
  readonly startMs: number;
  /** How long an old worker may take to stop, ms. */
  readonly stopMs: number;
}

/** @returns whether all workers were replaced; false also if the pool was stopped meanwhile */
export async function replaceWorkers(parts: ReplacementParts): Promise<boolean> {
  const { log, slots, fork, isStopping } = parts;
  const old = slots.map(({ handle }) => handle);
  for (const [n, slot] of slots.entries()) {
    const { handle } = slot;
    // A worker that was restarted meanwhile is new enough, and so is the restart of one that has ended.
    if (handle !== old[n] || !handle.isAlive) continue;
    const fresh = fork();
    const replaced = replace(slot, fresh, parts);
    slot.rolling = replaced.then(
      () => {},
      () => {},
    );
    try {
      await replaced;
    } catch {
      if (!isStopping()) {
        const message = 'the new worker did not start: the other workers keep running';
        logEnd(log, fresh, await fresh.ended, { message });
      }
      return false;
    } finally {
      slot.rolling = undefined;
    }
    if (isStopping()) return false;
  }
  return true;
}

/** @throws WorkerFailed if the new worker does not start; then the old one stays */
async function replace(slot: WorkerSlot, fresh: WorkerHandle, { startMs, stopMs }: ReplacementParts): Promise<void> {
  // A worker that cannot reach the store must not replace one that can.
  const why = `it did not reach its store within ${startMs} ms`;
  const late = setTimeout(() => fresh.kill(why), startMs);
  await fresh.serving.finally(() => clearTimeout(late));
  const { handle } = slot;
  slot.handle = fresh;
  await endInOrder(handle, stopMs);
}

async function endInOrder(handle: WorkerHandle, stopMs: number): Promise<void> {
  const late = setTimeout(() => handle.kill('it did not stop in time'), stopMs);
  handle.stop();
  await handle.ended;
  clearTimeout(late);
}
