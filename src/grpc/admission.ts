// Admission of calls: bounds the calls under way, those that wait for a place, and the tokens that batches hold.

import type { Logger } from '../log.js';
import { type BeginningTurn, CallAges, type TurnReport } from './call-ages.js';
import { LoadShedder } from './load-shedder.js';
import { OverloadLog } from './overload-log.js';
import { WaitQueue } from './wait-queue.js';

/** Places beyond the limit for calls that end a session: a user who gets no answer to a logout may think that it worked. */
const RESERVED_FOR_ENDING = 8;
/** Calls that may wait for a place, for each that may be under way. */
const WAITING_PER_CALL = 8;
/**
 * Tokens that batches may hold, for each call that may be under way. A batch costs the calls beside it nothing, because all
 * batches share a slice of each turn. This bounds how long batches wait for each other.
 */
const TOKENS_PER_CALL = 64;
/** How often calls that wait are looked at while nothing else happens, ms. */
const LOOK_MS = 20;

export interface AdmissionOptions {
  /** The most calls that may be under way. */
  readonly maxConcurrentCalls: number;
  /** The time between two log lines about refused calls, ms. Default 5,000. */
  readonly reportMs?: number;
}

/** A call that waits for a place. One of the two is called, once. */
export interface OpenedCall {
  accept(): void;
  refuse(): void;
}

/** A call under way. */
export interface AdmittedCall {
  /**
   * Reserves tokens until the call ends. The age of the call no longer counts, because a batch takes long by design.
   * @returns false if batches hold too many tokens already; the refusal is counted
   */
  reserveTokens(tokens: number): boolean;
  /** Ends the call. Later calls of `end` have no effect. */
  end(): void;
}

/** Shared by all servers of the process, because they share its event loop. */
export class Admission {
  readonly #shedder: LoadShedder;
  readonly #log: OverloadLog;
  readonly #ages = new CallAges((turn) => this.#endTurn(turn));
  readonly #ledger: Ledger;
  readonly #maxTokens: number;
  readonly #waiting: WaitQueue<OpenedCall>;
  /** Calls that end a session: refused last. */
  readonly #ending: WaitQueue<OpenedCall>;
  #looking: NodeJS.Timeout | undefined;
  #underWay = 0;
  /** Calls that began and ended in this turn. They count until it ends: their answers leave then, too. */
  #endedAtOnce = 0;
  #tokens = 0;
  #idle: (() => void)[] = [];

  constructor(log: Pick<Logger, 'info' | 'warn'>, { maxConcurrentCalls, reportMs }: AdmissionOptions) {
    this.#shedder = new LoadShedder(maxConcurrentCalls);
    this.#log = new OverloadLog(log, reportMs);
    this.#maxTokens = maxConcurrentCalls * TOKENS_PER_CALL;
    this.#waiting = new WaitQueue(maxConcurrentCalls * WAITING_PER_CALL);
    this.#ending = new WaitQueue(maxConcurrentCalls * WAITING_PER_CALL);
    this.#ledger = {
      takeTokens: (tokens) => this.#takeTokens(tokens),
      forgetAge: (turn) => this.#ages.end(turn, false),
      end: (turn, tokens) => this.#end(turn, tokens),
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
   * Whether a call that is opened now can begin at once. It takes no place before `begin`, because its message may never come.
   * @param ends whether the call ends a session
   */
  hasRoom(ends: boolean): boolean {
    this.#ages.turn();
    return this.#queueOf(ends).length === 0 && this.#room(ends) > 0;
  }

  /** The same for a call that cannot wait. @returns false if it has no room; the refusal is counted */
  mayOpen(ends: boolean): boolean {
    if (this.hasRoom(ends)) return true;
    this.#countRefusal();
    return false;
  }

  /** Lets a call wait that has no room, until it is accepted or refused. */
  wait(ends: boolean, call: OpenedCall): void {
    this.#shedder.exceeded();
    if (!this.#queueOf(ends).push(call, performance.now())) return this.#refuse(call);
    this.#looking ??= setInterval(() => this.#ages.turn(), LOOK_MS).unref();
  }

  /**
   * Begins a call whose message has come. @returns undefined if too many are under way; the refusal is counted
   * @param ends whether the call ends a session
   */
  begin(ends = false): AdmittedCall | undefined {
    if (this.#room(ends) <= 0) {
      this.#countRefusal();
      return undefined;
    }
    this.#underWay++;
    return new CallUnderWay(this.#ledger, this.#ages.begin());
  }

  /** Refuses the calls that wait, and writes the last log line about refused calls. */
  close(): void {
    for (const queue of [this.#ending, this.#waiting]) for (const call of queue.take(queue.length)) this.#refuse(call);
    clearInterval(this.#looking);
    this.#log.close();
  }

  #queueOf(ends: boolean): WaitQueue<OpenedCall> {
    return ends ? this.#ending : this.#waiting;
  }

  /** How many more calls may begin. */
  #room(ends: boolean): number {
    return this.#shedder.limit + (ends ? RESERVED_FOR_ENDING : 0) - this.#underWay - this.#endedAtOnce;
  }

  #endTurn(turn: TurnReport): void {
    this.#endedAtOnce = 0;
    if (this.#waiting.length > 0) this.#shedder.exceeded();
    this.#shedder.endTurn(turn);
    if (!this.#looking) return;
    this.#admitWaiting();
    const nowMs = performance.now();
    for (const queue of [this.#ending, this.#waiting]) for (const call of queue.expire(nowMs)) this.#refuse(call);
    if (this.#ending.length + this.#waiting.length > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** Their messages have come already, mostly: what is accepted begins before the next turn does. */
  #admitWaiting(): void {
    const ending = this.#ending.take(Math.max(0, this.#room(true)));
    for (const call of ending) call.accept();
    for (const call of this.#waiting.take(Math.max(0, this.#room(false) - ending.length))) call.accept();
  }

  #refuse(call: OpenedCall): void {
    this.#countRefusal();
    call.refuse();
  }

  #countRefusal(): void {
    this.#shedder.exceeded();
    this.#shedder.refused();
    this.#log.count();
  }

  /** One batch by itself is always taken. */
  #takeTokens(tokens: number): boolean {
    if (this.#tokens > 0 && this.#tokens + tokens > this.#maxTokens) {
      this.#log.count();
      return false;
    }
    this.#tokens += tokens;
    return true;
  }

  #end(turn: BeginningTurn | undefined, tokens: number): void {
    this.#underWay--;
    this.#tokens -= tokens;
    this.#shedder.answered();
    if (turn) {
      this.#ages.end(turn);
      if (this.#ages.isCurrent(turn)) this.#endedAtOnce++;
    }
    // The end of this turn gives the place to a call that waits.
    if (this.#looking) this.#ages.turn();
    if (this.#underWay === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** What a call under way changes in the counts that all share. */
interface Ledger {
  takeTokens(tokens: number): boolean;
  forgetAge(turn: BeginningTurn): void;
  end(turn: BeginningTurn | undefined, tokens: number): void;
}

class CallUnderWay implements AdmittedCall {
  readonly #ledger: Ledger;
  /** Undefined: the age does not count. */
  #turn: BeginningTurn | undefined;
  #tokens = 0;
  #ended = false;

  constructor(ledger: Ledger, turn: BeginningTurn) {
    this.#ledger = ledger;
    this.#turn = turn;
  }

  reserveTokens(tokens: number): boolean {
    if (!this.#ledger.takeTokens(tokens)) return false;
    this.#tokens += tokens;
    if (this.#turn) this.#ledger.forgetAge(this.#turn);
    this.#turn = undefined;
    return true;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ledger.end(this.#turn, this.#tokens);
  }
}
