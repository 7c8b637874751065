// The context of one call: its deadline, its request id, its trace, its audit events, and its line in the log.

import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '../core/events/audit.js';
import type { Call } from '../core/ports.js';
import type { SessionId } from '../core/token/session-id.js';
import { acceptRequestId, type Logger } from '../platform/log.js';
import { makeTraceId, traceIdIn } from '../platform/trace-context.js';
import type { TracedOperation } from '../platform/tracing.js';
import type { AdmittedCall } from './admission/admitted-call.js';
import { callFields, type Level } from './call-log.js';
import { Overloaded } from './status.js';
import type { IncomingCall } from './transport/method.js';

/** The call as its handler sees it. */
export interface ServiceCall extends Call {
  /** Whether the caller still waits for the response. */
  readonly isWanted: boolean;
  /** Reserves tokens until the call ends. @throws Overloaded if batches hold too many tokens already */
  reserveTokens(tokens: number): void;
  /** Adds fields to the call's log line. @param level raises the level of the line to at least this */
  addLogFields(fields: Readonly<Record<string, unknown>>, level?: 'warn' | 'error'): void;
}

/** What some calls have. */
export interface CallParts {
  readonly admitted?: AdmittedCall;
  readonly operation?: TracedOperation | undefined;
}

/** Events that are the result of a successful login or refresh. */
const ROUTINE: ReadonlySet<AuditEvent['event']> = new Set(['session_started', 'session_refreshed', 'session_replayed']);

/** Computes nothing before it is needed: most calls write no line and use no id. */
export class CallContext implements ServiceCall {
  readonly method: string;
  /** Undefined: the call is refused before it begins. */
  readonly admitted: AdmittedCall | undefined;
  /** Undefined: no SDK records traces. */
  readonly operation: TracedOperation | undefined;
  readonly #log: Logger;
  readonly #call: IncomingCall;
  /** By the process's monotonic clock. */
  readonly startMs = performance.now();
  #requestId: string | undefined;
  #traceId: string | undefined;
  #sessionId: SessionId | undefined;
  #routineEvent: AuditEvent | undefined;
  #isClosed = false;
  #extraFields: Readonly<Record<string, unknown>> | undefined;
  #raisedLevel: 'warn' | 'error' | undefined;

  constructor(log: Logger, method: string, call: IncomingCall, { admitted, operation }: CallParts = {}) {
    this.#log = log;
    this.admitted = admitted;
    this.operation = operation;
    this.method = method;
    this.#call = call;
  }

  get budgetMs(): number {
    return this.#call.deadlineMs - Date.now();
  }

  get isWanted(): boolean {
    return !this.#call.isCancelled && this.budgetMs > 0;
  }

  reserveTokens(tokens: number): void {
    if (!this.admitted?.reserveTokens(tokens)) throw new Overloaded();
  }

  addLogFields(fields: Readonly<Record<string, unknown>>, level?: 'warn' | 'error'): void {
    this.#extraFields = { ...this.#extraFields, ...fields };
    this.#raisedLevel ??= level;
  }

  setSessionId(sessionId: SessionId): void {
    this.#sessionId ??= sessionId;
  }

  /** A routine event becomes part of the call's log line. Every other event gets a line of its own at once. */
  audit(event: AuditEvent): void {
    if ('sessionId' in event) this.setSessionId(event.sessionId);
    if (ROUTINE.has(event.event) && !this.#isClosed && !this.#routineEvent) this.#routineEvent = event;
    else this.#logEvent(event);
  }

  /** Writes the call's log line. @param usualLevel its level unless `addLogFields` raised it */
  close(usualLevel: Level, error: unknown): void {
    this.#isClosed = true;
    const level = this.#raisedLevel ?? usualLevel;
    if (!this.#log.isLevelEnabled(level)) {
      if (this.#routineEvent) this.#logEvent(this.#routineEvent);
      return;
    }
    const { requestId, traceId } = this.#ids();
    const fields = callFields({
      method: this.method,
      startMs: this.startMs,
      requestId,
      traceId,
      sessionId: this.#sessionId,
      audit: this.#routineEvent,
      extra: this.#extraFields,
      error,
    });
    this.#log[level](fields, 'call');
  }

  #logEvent(event: AuditEvent): void {
    this.#log.info({ audit: event, ...this.#ids() }, event.event);
  }

  #ids(): { readonly requestId: string; readonly traceId: string } {
    this.#requestId ??= acceptRequestId(this.#call.header('x-request-id')) ?? randomUUID();
    this.#traceId ??= this.operation?.traceId ?? traceIdIn(this.#call.header('traceparent')) ?? makeTraceId();
    return { requestId: this.#requestId, traceId: this.#traceId };
  }
}
