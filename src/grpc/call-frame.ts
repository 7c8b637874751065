// The context of one call: its budget, its request id, its events, and its one line in the log.

import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { AuditEvent } from '../core/audit.js';
import { isCoreError, StoreUnavailable, TokenRefused } from '../core/errors.js';
import type { Call } from '../core/ports.js';
import type { SessionId } from '../core/session.js';
import { acceptRequestId, type Logger } from '../log.js';
import type { AdmittedCall } from './admission.js';
import { CallRefused, GivenUp, Overloaded, statusOf } from './status.js';
import type { IncomingCall } from './transport/method.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** What a handler knows of its call, and may tell the call's log line. */
export interface ServiceCall extends Call {
  /** Whether somebody still waits for its answer. */
  readonly isWanted: boolean;
  /** Reserves tokens until the call ends. @throws Overloaded if batches hold too many tokens already */
  reserveTokens(tokens: number): void;
  /** @param level of the line, if that is more than it would have */
  note(fields: Readonly<Record<string, unknown>>, level?: 'warn'): void;
}

/** The last thing that happens in a call that goes well. */
const ROUTINE: ReadonlySet<AuditEvent['event']> = new Set(['session_started', 'session_refreshed', 'session_replayed']);

/** Makes nothing before it is asked for: most calls write no line and have no id of their own. */
export class FramedCall implements ServiceCall {
  readonly method: string;
  /** Undefined: the call is refused before it begins. */
  readonly admitted: AdmittedCall | undefined;
  readonly #log: Logger;
  readonly #call: IncomingCall;
  readonly #startMs = performance.now();
  #requestId: string | undefined;
  #sessionId: SessionId | undefined;
  #routine: AuditEvent | undefined;
  #isClosed = false;
  #notes: Readonly<Record<string, unknown>> | undefined;
  #raised: 'warn' | undefined;

  constructor(log: Logger, admitted: AdmittedCall | undefined, method: string, call: IncomingCall) {
    this.#log = log;
    this.admitted = admitted;
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

  note(fields: Readonly<Record<string, unknown>>, level?: 'warn'): void {
    this.#notes = { ...this.#notes, ...fields };
    this.#raised ??= level;
  }

  concerns(sessionId: SessionId): void {
    this.#sessionId ??= sessionId;
  }

  /** What every login and refresh brings is told by the call's own line; all else as it happens, on a line of its own. */
  audit(event: AuditEvent): void {
    if ('sessionId' in event) this.concerns(event.sessionId);
    if (ROUTINE.has(event.event) && !this.#isClosed && !this.#routine) this.#routine = event;
    else this.#tell(event);
  }

  /** Writes the line. */
  close(usual: Level, error: unknown): void {
    this.#isClosed = true;
    const level = this.#raised ?? usual;
    if (!this.#log.isLevelEnabled(level)) {
      if (this.#routine) this.#tell(this.#routine);
      return;
    }
    const code = error === undefined ? status.OK : statusOf(error).code;
    const durationMs = Math.round((performance.now() - this.#startMs) * 1000) / 1000;
    const session = this.#sessionId === undefined ? {} : { sessionId: this.#sessionId };
    const audit = this.#routine === undefined ? {} : { audit: this.#routine };
    const told = { ...session, ...audit, ...this.#notes, ...failureFields(error) };
    const fields = { method: this.method, status: status[code], ...told, durationMs, requestId: this.#id() };
    this.#log[level](fields, 'call');
  }

  #tell(event: AuditEvent): void {
    this.#log.info({ audit: event, requestId: this.#id() }, event.event);
  }

  #id(): string {
    this.#requestId ??= acceptRequestId(this.#call.header('x-request-id')) ?? randomUUID();
    return this.#requestId;
  }
}

/** A caller's mistake is no news; what someone should look at is. */
export function levelOf(error: unknown): Level {
  // Refusals are counted, for a line for each would be an attack of its own; and who has given up wants to hear nothing.
  if (error instanceof Overloaded || error instanceof GivenUp) return 'debug';
  if (error instanceof StoreUnavailable || error instanceof CallRefused) return 'warn';
  return isCoreError(error) ? 'info' : 'error';
}

/** What a failure adds to the log line; of our own errors the words that name them, of others everything. */
function failureFields(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  if (error instanceof TokenRefused) return { problem: error.problem, why: error.why, detail: error.message };
  if (error instanceof StoreUnavailable) return { detail: error.message, err: error.cause };
  const ours = [CallRefused, Overloaded, GivenUp].some((each) => error instanceof each);
  return error instanceof Error && (isCoreError(error) || ours) ? { detail: error.message } : { err: error };
}
