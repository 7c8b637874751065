// The log line of a call: its level, and its fields.

import { status } from '@grpc/grpc-js';
import { isCoreError, StoreUnavailable } from '../core/errors.js';
import { TokenRefused } from '../core/token/errors.js';
import { CallCancelled, Overloaded, statusOf, Unauthenticated } from './status.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The level for a failed call: `info` for a caller's mistake, `warn` or `error` for what an operator should look at. */
export function levelOf(error: unknown): Level {
  // One line per overload refusal would let a flood fill the log; they are counted instead. A cancelled call is routine.
  if (error instanceof Overloaded || error instanceof CallCancelled) return 'debug';
  if (error instanceof StoreUnavailable || error instanceof Unauthenticated) return 'warn';
  return isCoreError(error) ? 'info' : 'error';
}

export interface CallRecord {
  readonly method: string;
  readonly startMs: number;
  readonly requestId: string;
  readonly traceId: string;
  readonly extra: Readonly<Record<string, unknown>>;
  /** Undefined: the call succeeded. */
  readonly error: unknown;
}

export function callFields({ method, startMs, requestId, traceId, extra, error }: CallRecord): Record<string, unknown> {
  const code = error === undefined ? status.OK : statusOf(error).code;
  const durationMs = Math.round((performance.now() - startMs) * 1000) / 1000;
  return { method, status: status[code], ...extra, ...failureFields(error), durationMs, requestId, traceId };
}

/** The fields that describe a failure. Our own errors have a text that is safe to log; others are logged as `err`. */
function failureFields(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  if (error instanceof TokenRefused) return { problem: error.problem, why: error.why, detail: error.message };
  if (error instanceof StoreUnavailable) return { detail: error.message, err: error.cause };
  const isOurs = [Unauthenticated, Overloaded, CallCancelled].some((each) => error instanceof each);
  return error instanceof Error && (isCoreError(error) || isOurs) ? { detail: error.message } : { err: error };
}
