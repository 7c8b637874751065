// A slot of the pool, which always has a worker, and the log line about a worker that has ended.

import type { Logger } from '../platform/log.js';
import type { BackOff } from './back-off.js';
import type { Ending, WorkerHandle } from './worker-handle.js';

export interface WorkerSlot {
  handle: WorkerHandle;
  /** Set while a rolling replacement is under way in this slot; then the supervisor does not restart. */
  rolling: Promise<void> | undefined;
  readonly backOff: BackOff;
}

/** @param more fields of the line; `message` by default says that a worker has ended */
export function logEnd(
  log: Logger,
  { id, pid }: WorkerHandle,
  { code, signal, why }: Ending,
  { message = 'a worker has ended', ...more }: { readonly message?: string; readonly againInMs?: number } = {},
): void {
  const detail = why === undefined ? {} : { detail: why };
  const fields = { worker: id, workerPid: pid, exitCode: code, signal, ...detail, ...more };
  // Exit code 0: an operator may have stopped the worker.
  if (code === 0) log.warn(fields, message);
  else log.error(fields, message);
}
