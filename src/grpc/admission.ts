// Admission of calls: counts the calls under way and the tokens that batches hold, and refuses what exceeds the limits.

import type { Logger } from '../log.js';
import { type BeginningTurn, CallAges } from './call-ages.js';
import { LoadShedder } from './load-shedder.js';
import { OverloadLog } from './overload-log.js';

/**
 * Tokens that batches may hold, for each call that may be under way. A batch costs the calls beside it nothing, because all
 * batches share a slice of each turn. This bounds how long batches wait for each other.
 */
const TOKENS_PER_CALL = 64;

export interface AdmissionOptions {
  /** The most calls that may be under way. */
  readonly maxConcurrentCalls: number;
  /** The time between two log lines about refused calls, ms. Default 5,000. */
  readonly reportMs?: number;
}

/** A call under way. */
export interface AdmittedCall {
  /**
   * Reserves tokens until the call ends. The call no longer counts as one that waits, because a batch takes long by design.
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
  readonly #ages: CallAges;
  readonly #maxTokens: number;
  readonly #ledger: Ledger;
  #underWay = 0;
  /** Calls that began and ended in this turn. They count until it ends: their answers leave then, too. */
  #endedAtOnce = 0;
  #tokens = 0;
  #idle: (() => void)[] = [];

  constructor(log: Pick<Logger, 'info' | 'warn'>, { maxConcurrentCalls, reportMs }: AdmissionOptions) {
    this.#shedder = new LoadShedder(maxConcurrentCalls);
    this.#log = new OverloadLog(log, reportMs);
    this.#maxTokens = maxConcurrentCalls * TOKENS_PER_CALL;
    this.#ages = new CallAges((turn) => {
      this.#endedAtOnce = 0;
      this.#shedder.endTurn(turn);
    });
    this.#ledger = {
      takeTokens: (tokens) => this.#takeTokens(tokens),
      stopTiming: (turn) => this.#ages.end(turn, false),
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
   * Whether a call that is opened now could begin. It takes no place before `begin`, because its message may never come.
   * A refusal is counted.
   * @param ends whether the call ends a session: such calls are refused last
   */
  mayOpen(ends: boolean): boolean {
    this.#ages.turn();
    return this.#admits(ends);
  }

  /** Begins a call. @returns undefined if too many are under way; the refusal is counted */
  begin(ends = false): AdmittedCall | undefined {
    if (!this.#admits(ends)) return undefined;
    this.#underWay++;
    return new CallUnderWay(this.#ledger, this.#ages.begin());
  }

  /** Writes the last log line about refused calls. */
  close(): void {
    this.#log.close();
  }

  #admits(ends: boolean): boolean {
    const admitted = this.#shedder.admits(this.#underWay + this.#endedAtOnce, ends);
    if (!admitted) this.#log.count();
    return admitted;
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
    if (this.#underWay === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** What a call under way changes in the counts that all share. */
interface Ledger {
  takeTokens(tokens: number): boolean;
  stopTiming(turn: BeginningTurn): void;
  end(turn: BeginningTurn | undefined, tokens: number): void;
}

class CallUnderWay implements AdmittedCall {
  readonly #ledger: Ledger;
  /** Undefined: its time does not count as waiting. */
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
    if (this.#turn) this.#ledger.stopTiming(this.#turn);
    this.#turn = undefined;
    return true;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ledger.end(this.#turn, this.#tokens);
  }
}
