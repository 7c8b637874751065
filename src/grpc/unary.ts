// Owns the frame around every call: its budget, its request id, its one log line, and the one place that catches.

import { randomUUID } from 'node:crypto';
import { type handleUnaryCall, type Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import type { AuditEvent } from '../core/audit.js';
import { InvalidInput, isCoreError, StoreUnavailable, TokenRefused } from '../core/errors.js';
import type { Call } from '../core/ports.js';
import { acceptRequestId, type Logger } from '../log.js';
import type { Decoded } from './decoding.js';
import { CallRefused, statusOf } from './status.js';

/** What a handler knows of its call, and may tell the call's log line. */
export interface ServiceCall extends Call {
  readonly metadata: Metadata;
  /** The names of the client's certificate, as Node writes them, if it has shown one that was found good. */
  clientNames(): string | undefined;
  note(fields: { problem: string; why: string | undefined }): void;
}

type Level = 'debug' | 'info' | 'warn' | 'error';

export type Handler<Request, Response> = (request: Request, call: ServiceCall) => Promise<Response>;

/** Frames handlers, and counts the calls that are under way. */
export class Unary {
  readonly #log: Logger;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves once no call is under way. */
  idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** @param level of the line for a success */
  handle<Request, Response>(
    method: string,
    handler: Handler<Request, Response>,
    level: Level = 'info',
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      this.#underWay++;
      const line = this.#openLine(method, call);
      this.#run(handler, call.request, line.call)
        .then(
          (response) => {
            callback(null, response);
            line.close(status.OK, level);
          },
          (error: unknown) => {
            const failure = statusOf(error);
            callback(failure);
            line.close(failure.code, levelOf(error), error);
          },
        )
        // What fails in the answering itself must not end the process.
        .catch((err: unknown) => this.#log.error({ method, err }, 'a call could not be answered'))
        .finally(() => this.#leave());
    };
  }

  async #run<Request, Response>(
    handler: Handler<Request, Response>,
    request: Decoded<Request>,
    call: ServiceCall,
  ): Promise<Response> {
    if (request instanceof InvalidInput) throw request;
    return handler(request, call);
  }

  #leave(): void {
    this.#underWay--;
    if (this.#underWay === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #openLine<Request, Response>(method: string, call: ServerUnaryCall<Request, Response>) {
    const log = this.#log;
    const startMs = performance.now();
    const requestId = acceptRequestId(call.metadata.get('x-request-id')[0]) ?? randomUUID();
    const notes: Record<string, unknown> = {};
    const serviceCall: ServiceCall = {
      metadata: call.metadata,
      clientNames: () => call.getAuthContext().sslPeerCertificate?.subjectaltname,
      get budgetMs() {
        return Number(call.getDeadline()) - Date.now();
      },
      note: (fields) => Object.assign(notes, fields),
      concerns: (sessionId) => {
        notes['sessionId'] ??= sessionId;
      },
      audit: (event: AuditEvent) => {
        if ('sessionId' in event) notes['sessionId'] ??= event.sessionId;
        log.info({ audit: event, requestId }, event.event);
      },
    };
    const close = (code: status, level: Level, error?: unknown): void => {
      const durationMs = Math.round((performance.now() - startMs) * 1000) / 1000;
      const fields = { method, status: status[code], ...notes, ...failureFields(error), durationMs, requestId };
      log[level](fields, 'call');
    };
    return { call: serviceCall, close };
  }
}

/** A caller's mistake is no news; what someone should look at is. */
function levelOf(error: unknown): Level {
  if (error instanceof StoreUnavailable || error instanceof CallRefused) return 'warn';
  return isCoreError(error) ? 'info' : 'error';
}

/** What a failure adds to the log line; of our own errors the words that name them, of others everything. */
function failureFields(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  if (error instanceof TokenRefused) return { problem: error.problem, why: error.why, detail: error.message };
  if (error instanceof StoreUnavailable) return { detail: error.message, err: error.cause };
  return isCoreError(error) || error instanceof CallRefused ? { detail: error.message } : { err: error };
}
