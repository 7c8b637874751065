// The log line of a call: its level, and its fields.

import { status } from '@grpc/grpc-js';
import { isCoreError, StoreUnavailable } from '../core/errors.js';
import type { AuditEvent } from '../core/events/audit.js';
import { TokenRefused } from '../core/token/errors.js';
import { CallCancelled, Overloaded, statusOf, Unauthenticated } from './status.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * The level for a failed call: `info` for a caller's mistake, `warn` or `error` for what an operator should look at.
 */
export function levelOf(error: unknown): Level {
  // One line per overload refusal would let a flood fill the log; they are counted instead. A cancelled call is
  // routine.
  if (error instanceof Overloaded || error instanceof CallCancelled) return 'debug';
  if (error instanceof StoreUnavailable || error instanceof Unauthenticated) return 'warn';
  return isCoreError(error) ? 'info' : 'error';
}

export interface CallRecord {
  readonly method: string;
  readonly startMs: number;
  readonly requestId: string;
  readonly traceId: string;
  readonly sessionId: string | undefined;
  /** The event that the call's result is. */
  readonly audit: AuditEvent | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
  /** Undefined: the call succeeded. */
  readonly error: unknown;
}

/** Set one by one: to spread objects of different forms into one would cost each call more than its JSON. */
export function callFields(record: CallRecord): Record<string, unknown> {
  const { sessionId, audit, extra, error } = record;
  const code = error === undefined ? status.OK : statusOf(error).code;
  const fields: Record<string, unknown> = { method: record.method, status: status[code] };
  if (sessionId !== undefined) fields['sessionId'] = sessionId;
  if (audit !== undefined) fields['audit'] = audit;
  if (extra !== undefined) Object.assign(fields, extra);
  if (error !== undefined) Object.assign(fields, failureFields(error));
  fields['durationMs'] = Math.round((performance.now() - record.startMs) * 1000) / 1000;
  fields['requestId'] = record.requestId;
  fields['traceId'] = record.traceId;
  return fields;
}

/** The fields that describe a failure. Our own errors have a text that is safe to log; others are logged as `err`. */
function failureFields(error: unknown): Record<string, unknown> {
  if (error instanceof TokenRefused) return { problem: error.problem, why: error.why, detail: error.message };
  if (error instanceof StoreUnavailable) return { detail: error.message, err: error.cause };
  const isOurs = [Unauthenticated, Overloaded, CallCancelled].some((each) => error instanceof each);
  return error instanceof Error && (isCoreError(error) || isOurs) ? { detail: error.message } : { err: error };
}
