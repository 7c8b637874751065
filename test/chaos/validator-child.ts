// A process with one validator, for chaos runs: gets tokens from its parent, and reports each result of `validate`.
// All times are CLOCK_MONOTONIC, which all processes of a machine share, ms.

import { buildValidator } from '../../src/validator/build-validator.js';
import type { Clock } from '../../src/validator/clock.js';
import { CannotTell, type ValidateOptions, type Validation } from '../../src/validator/index.js';
import { monotonicMs } from './monotonic.js';
import type { Outcome, Span } from './record.js';
import { watchStalls } from './stalls.js';

export interface Question {
  readonly id: number;
  readonly token: string;
  /** undefined: as the validator was created. */
  readonly options?: ValidateOptions;
}

/** From the parent. */
export type Order =
  /** Questions that are asked in one turn of the event loop. */
  | { readonly ask: readonly Question[] }
  /** Sets the wall clock off. */
  | { readonly shiftMs: number }
  /** Blocks for this time, ms, and sets its monotonic clock back by it: as a suspended machine does. */
  | { readonly suspendMs: number }
  | { readonly end: true };

export interface Answer extends Span {
  readonly id: number;
  /** The last look at the clock in the turn of the event loop in which the answer came; without one, `toMs`. */
  readonly handedMs: number;
  readonly outcome: Outcome;
}

/** To the parent. */
export type Report =
  | { readonly ready: true }
  | { readonly answers: readonly Answer[] }
  | { readonly stalls: readonly Span[] };

/** The clocks of the validator. They keep when they were looked at last, for the length of one turn of the event loop. */
class WatchedClock implements Clock {
  shiftMs = 0;
  /** For how long the machine was suspended, ms. */
  suspendedMs = 0;
  #lookedMs: number | undefined;
  #turn = 0;
  #isTurnEnding = false;

  readonly monotonicMs = (): number => {
    this.#lookedMs = monotonicMs();
    if (!this.#isTurnEnding) {
      this.#isTurnEnding = true;
      setImmediate(() => this.#endTurn());
    }
    return this.#lookedMs - this.suspendedMs;
  };

  readonly wallMs = (): number => Date.now() + this.shiftMs;

  /** The last look in this turn; undefined: there was none. */
  get look(): { readonly turn: number; readonly atMs: number | undefined } {
    return { turn: this.#turn, atMs: this.#lookedMs };
  }

  #endTurn(): void {
    this.#turn++;
    this.#lookedMs = undefined;
    this.#isTurnEnding = false;
  }
}

const report = (text: Report): void => void process.send?.(text);

const clock = new WatchedClock();
const validator = buildValidator(JSON.parse(process.argv[2] ?? '{}'), { clock });
const stalls = watchStalls(monotonicMs);
let answers: Answer[] = [];

function outcomeOf(result: Validation): Outcome {
  return result.active ? { is: 'active' } : { is: 'refused', problem: result.problem };
}

/** An error is named, never quoted: the checker sees it as an answer that makes no sense. */
function failureOf(error: unknown): Outcome {
  if (error instanceof CannotTell) return { is: 'unknown', code: error.code };
  return { is: 'refused', problem: error instanceof Error ? error.name : 'not an Error' };
}

async function ask({ id, token, options }: Question): Promise<void> {
  const fromMs = monotonicMs();
  const result = validator.validate(token, options);
  // An answer from memory is decided on by now.
  const decided = clock.look;
  const outcome = await result.then(outcomeOf, failureOf);
  const arrived = clock.look;
  const toMs = monotonicMs();
  const handedMs = (arrived.turn === decided.turn ? decided.atMs : arrived.atMs) ?? toMs;
  if (answers.length === 0) setImmediate(send);
  answers.push({ id, fromMs, handedMs, toMs, outcome });
}

function send(): void {
  report({ answers });
  answers = [];
}

function suspend(ms: number): void {
  const fromMs = monotonicMs();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  clock.suspendedMs += monotonicMs() - fromMs;
}

process.on('message', (order: Order) => {
  if ('ask' in order) for (const question of order.ask) void ask(question);
  else if ('shiftMs' in order) clock.shiftMs = order.shiftMs;
  else if ('suspendMs' in order) suspend(order.suspendMs);
  else {
    report({ stalls: stalls.end() });
    void validator.close().then(() => process.disconnect());
  }
});
process.on('disconnect', () => process.exit());
report({ ready: true });
