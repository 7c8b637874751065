// Owns what happens to calls that are too many: they are refused before their message is read, and counted for the log.

import type { Logger } from '../log.js';
import type { Admission } from './call-frame.js';
import { Shedding } from './shedding.js';

/** A line for each refused call would be an attack of its own: there is one in so long. */
const REPORT_MS = 5_000;

/** The services whose calls are refused. Health is always answered: a busy service is a live one. */
const SHED = /^\/(?:auth|grpc\.reflection)\./;
/** The calls that are refused last. */
const ENDING: ReadonlySet<string> = new Set(['/auth.v1.AuthService/Logout', '/auth.v1.IssuerService/RevokeSubject']);

/**
 * Tokens that may be under way in batches, for each call that may. They cost calls beside them nothing, since batches have
 * their slices alone; this bounds how long they wait for each other.
 */
const TOKENS_A_CALL = 64;

export interface OverloadOptions {
  readonly maxConcurrentCalls: number;
  /** How many calls are under way. */
  readonly underWay: () => number;
  readonly reportMs?: number;
}

export class Overload implements Admission {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #shedding: Shedding;
  readonly #underWay: () => number;
  readonly #reportMs: number;
  readonly #maxTokens: number;
  /** Under way in batches. */
  #tokens = 0;
  #turnIsOpen = false;
  #reporting: NodeJS.Timeout | undefined;
  /** Since the last line, and since the overload began. */
  #refused = { lately: 0, inAll: 0 };

  constructor(
    log: Pick<Logger, 'info' | 'warn'>,
    { maxConcurrentCalls, underWay, reportMs = REPORT_MS }: OverloadOptions,
  ) {
    this.#log = log;
    this.#shedding = new Shedding(maxConcurrentCalls);
    this.#maxTokens = maxConcurrentCalls * TOKENS_A_CALL;
    this.#underWay = underWay;
    this.#reportMs = reportMs;
  }

  /** Whether a call is taken whose head has come; one that is not is refused before its message is read, and counted. */
  admits(path: string): boolean {
    if (!SHED.test(path) || this.#takes(ENDING.has(path))) return true;
    this.#count();
    return false;
  }

  /**
   * Whether a call that was taken may begin, now that its message has come: many may be opened one by one, and their
   * messages sent at once. One that may not is counted as refused.
   */
  mayBegin(path: string, underWay: number): boolean {
    const may = this.#shedding.begins(ENDING.has(path), underWay);
    if (!may) this.#count();
    return may;
  }

  /** One batch by itself is always taken. A refused one is counted. */
  takeTokens(tokens: number): boolean {
    if (this.#tokens > 0 && this.#tokens + tokens > this.#maxTokens) {
      this.#count();
      return false;
    }
    this.#tokens += tokens;
    return true;
  }

  giveBack(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Says what was refused and not told yet. */
  close(): void {
    clearInterval(this.#reporting);
    if (this.#reporting) this.#end();
  }

  #takes(ends: boolean): boolean {
    if (!this.#turnIsOpen) {
      this.#turnIsOpen = true;
      // After the sockets that can be read have been, and before any is again.
      setImmediate(() => {
        this.#turnIsOpen = false;
      });
      this.#shedding.beginTurn(this.#underWay(), performance.eventLoopUtilization().idle);
    }
    return this.#shedding.takes(ends);
  }

  #count(): void {
    this.#refused.lately++;
    this.#refused.inAll++;
    if (this.#reporting) return;
    this.#log.warn({}, 'overloaded: calls are refused');
    this.#reporting = setInterval(() => this.#report(), this.#reportMs).unref();
  }

  #report(): void {
    const { lately, inAll } = this.#refused;
    this.#refused.lately = 0;
    if (lately === 0) this.#end();
    else this.#log.warn({ refused: lately, refusedInAll: inAll }, 'overloaded: calls were refused');
  }

  #end(): void {
    clearInterval(this.#reporting);
    this.#reporting = undefined;
    this.#log.info({ refusedInAll: this.#refused.inAll }, 'the overload is over');
    this.#refused = { lately: 0, inAll: 0 };
  }
}
