// Admission of calls: limits on the calls under way, on those that wait for a place, and on the tokens in batches.

import type { Logger } from '../../platform/log.js';
import type { Counter } from '../../platform/metrics/meter.js';
import { type AdmittedCall, CallUnderWay, type SharedCounts } from './admitted-call.js';
import { OverloadLog } from './overload-log.js';
import { WaitQueue } from './wait-queue.js';

/** Places beyond the limit for calls that end a session: a user may believe that a logout worked although it failed. */
const RESERVED_FOR_ENDING = 8;
/**
 * How many calls may wait for a place. A waiting call holds at most 8 KiB. About this number arrives during a pause of
 * one second, at half of the highest rate of the cheapest calls.
 */
const MAX_WAITING = 4_096;
/** The same for calls that end a session. */
const MAX_ENDING_WAITING = 512;
/**
 * How many tokens batches may hold together, per call of the limit. A batch does not delay other calls, because all
 * batches share one slice of each turn. This limits how long batches wait for each other.
 */
const TOKENS_PER_CALL = 64;
/** How often the queues are checked while no call ends, ms. */
const LOOK_MS = 20;

export interface AdmissionOptions {
  /** The most calls that may be under way. */
  readonly maxConcurrentCalls: number;
  /** The time between two log lines about refused calls, ms. Default 5,000. */
  readonly reportMs?: number;
  /** Counts each refused call. */
  readonly refused?: Counter | undefined;
  /** A monotonic clock. Default: that of the process. */
  readonly nowMs?: () => number;
}

/** A call that waits for a place. Exactly one of the two methods is called, once. */
export interface OpenedCall {
  accept(): void;
  refuse(): void;
}

/** Shared by all servers of the process, because they share its event loop. */
export class Admission {
  readonly #log: OverloadLog;
  readonly #maxCalls: number;
  readonly #nowMs: () => number;
  readonly #counts: SharedCounts;
  readonly #waiting = new WaitQueue<OpenedCall>(MAX_WAITING);
  /** Calls that end a session. They are refused last. */
  readonly #ending = new WaitQueue<OpenedCall>(MAX_ENDING_WAITING);
  #looking: NodeJS.Timeout | undefined;
  #isInTurn = false;
  #underWay = 0;
  /** Calls that were opened in this turn, and whose messages may still arrive in it. */
  #opened = 0;
  /** Calls that ended in this turn. They keep their places until the turn ends, because their responses leave then. */
  #ended = 0;
  #tokens = 0;
  #idle: (() => void)[] = [];

  constructor(log: Pick<Logger, 'info' | 'warn'>, { maxConcurrentCalls, reportMs, refused, nowMs }: AdmissionOptions) {
    this.#log = new OverloadLog(log, reportMs, refused);
    this.#maxCalls = maxConcurrentCalls;
    this.#nowMs = nowMs ?? (() => performance.now());
    this.#counts = {
      takeTokens: (tokens) => this.#takeTokens(tokens),
      end: (tokens) => this.#end(tokens),
    };
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves once no call is under way. */
  idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * Opens a call if there is a place and no other call waits for one. It keeps the place only until the turn ends,
   * because a message that has not arrived by then may never arrive.
   * @param ends whether the call ends a session
   */
  open(ends: boolean): boolean {
    if (this.#queueOf(ends).length > 0 || this.#room(ends) <= 0) return false;
    this.#opened++;
    this.#noteTurn();
    return true;
  }

  /** Queues a call that cannot be opened now, until it is accepted or refused. */
  wait(ends: boolean, call: OpenedCall): void {
    if (!this.#queueOf(ends).push(call, this.#nowMs())) return this.refuse(call);
    this.#looking ??= setInterval(() => this.#noteTurn(), LOOK_MS).unref();
  }

  /** Refuses a call, and counts it. */
  refuse(call: Pick<OpenedCall, 'refuse'>): void {
    this.#log.count();
    call.refuse();
  }

  /**
   * Begins a call whose message has arrived. @returns undefined if too many are under way; the refusal is counted
   * @param ends whether the call ends a session
   */
  begin(ends = false): AdmittedCall | undefined {
    if (this.#opened > 0) this.#opened--;
    if (this.#room(ends) <= 0) {
      this.#log.count();
      return undefined;
    }
    this.#underWay++;
    return new CallUnderWay(this.#counts);
  }

  /** Refuses the calls that wait, and writes the last log line about refused calls. */
  close(): void {
    for (const queue of [this.#ending, this.#waiting]) for (const call of queue.take(queue.length)) this.refuse(call);
    clearInterval(this.#looking);
    this.#log.close();
  }

  #queueOf(ends: boolean): WaitQueue<OpenedCall> {
    return ends ? this.#ending : this.#waiting;
  }

  /** How many more calls may begin. */
  #room(ends: boolean): number {
    return this.#maxCalls + (ends ? RESERVED_FOR_ENDING : 0) - this.#underWay - this.#opened - this.#ended;
  }

  /** Schedules `endTurn` after all readable sockets have been read, and before any is read again. */
  #noteTurn(): void {
    if (this.#isInTurn) return;
    this.#isInTurn = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isInTurn = false;
    this.#opened = 0;
    this.#ended = 0;
    if (!this.#looking) return;
    this.#admitWaiting();
    const nowMs = this.#nowMs();
    for (const queue of [this.#ending, this.#waiting]) for (const call of queue.expire(nowMs)) this.refuse(call);
    // A queue that emptied in this turn may fill in the next one: only a later turn can show that it is calm.
    if (!this.#ending.isCalm || !this.#waiting.isCalm) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** Most of these calls have their messages already, so an accepted call begins before the next turn. */
  #admitWaiting(): void {
    const ending = this.#ending.take(Math.max(0, this.#room(true)));
    for (const call of ending) call.accept();
    for (const call of this.#waiting.take(Math.max(0, this.#room(false) - ending.length))) call.accept();
  }

  /** A batch is always accepted if no other batch is under way. */
  #takeTokens(tokens: number): boolean {
    if (this.#tokens > 0 && this.#tokens + tokens > this.#maxCalls * TOKENS_PER_CALL) {
      this.#log.count();
      return false;
    }
    this.#tokens += tokens;
    return true;
  }

  #end(tokens: number): void {
    this.#underWay--;
    this.#ended++;
    this.#tokens -= tokens;
    this.#noteTurn();
    if (this.#underWay === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
