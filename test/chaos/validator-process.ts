// A validator in a process of its own, as the chaos run sees it: asked, paused, its clock set, and its answers recorded.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Source } from '../../src/validator/index.js';
import { endAtExit } from '../support/children.js';
import { collect } from '../support/process-output.js';
import { V8_OPTIONS } from '../support/v8-options.js';
import { toPerformanceMs } from './monotonic.js';
import type { Span, ValidationRecord } from './record.js';
import type { Held } from './recorder.js';
import type { Answer, Order, Report } from './validator-child.js';

const CHILD = fileURLToPath(new URL('./validator-child.js', import.meta.url));

/** `maxStaleness` of the validators, ms. */
export const MAX_STALENESS_MS = 2_000;
const DEADLINE_MS = 1_000;

/** How old an answer may be, ms; undefined: the question is strict. */
export type Staleness = number | undefined;

export interface Asked {
  readonly of: Held;
  readonly stalenessMs: Staleness;
}

export interface ValidatorProcessOptions {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly source: Source;
  /** Modules, by their URLs, that the process loads first. */
  readonly preloads: readonly string[];
}

interface Pending extends Asked {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class ValidatorProcess {
  readonly name: string;
  readonly #byFeed: boolean;
  readonly records: ValidationRecord[] = [];
  readonly stalls: Span[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #printed: () => string;
  readonly #offsetMs = toPerformanceMs();
  readonly #pending = new Map<number, Pending>();
  #asked = 0;
  #isEnding = false;

  private constructor(name: string, byFeed: boolean, child: ChildProcess) {
    this.name = name;
    this.#byFeed = byFeed;
    this.#child = child;
    this.#closed = once(child, 'close');
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    this.#printed = () => stdout() + stderr();
    child.on('message', (report: Report) => this.#receive(report));
    endAtExit(child);
    child.once('exit', () => {
      if (!this.#isEnding) this.#fail();
    });
  }

  static async start({ name, addresses, source, preloads }: ValidatorProcessOptions): Promise<ValidatorProcess> {
    const options = { address: addresses, source, maxStaleness: MAX_STALENESS_MS, deadline: DEADLINE_MS };
    const child = fork(CHILD, [JSON.stringify(options)], {
      env: { PATH: process.env['PATH'] },
      execArgv: [...V8_OPTIONS, ...preloads.flatMap((url) => ['--import', url])],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const validator = new ValidatorProcess(name, source === 'feed', child);
    const ended = validator.#closed.then(() => {
      throw new Error(`the validator "${name}" did not start: ${validator.#printed()}`);
    });
    await Promise.race([once(child, 'message'), ended]);
    return validator;
  }

  /** Asks in one turn of the event loop of the other process. Resolves when all have their answers. */
  async ask(questions: readonly Asked[]): Promise<void> {
    const answered: Promise<void>[] = [];
    const ask = questions.map((asked) => {
      const id = this.#asked++;
      answered.push(new Promise((resolve, reject) => this.#pending.set(id, { ...asked, resolve, reject })));
      return { id, token: asked.of.pair.accessToken, options: optionsFor(asked.stalenessMs) };
    });
    this.#order({ ask });
    await Promise.all(answered);
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Sets its wall clock off. */
  setClock(shiftMs: number): void {
    this.#order({ shiftMs });
  }

  /** Stops the process and its monotonic clock for a time, as a suspended machine does. */
  suspend(ms: number): void {
    this.#order({ suspendMs: ms });
  }

  /** @throws Error if it printed anything */
  async stop(): Promise<void> {
    this.#isEnding = true;
    if (this.#child.exitCode === null && this.#child.connected) this.#order({ end: true });
    await this.#closed;
    if (this.#printed() !== '') throw new Error(`the validator "${this.name}" printed: ${this.#printed()}`);
  }

  #order(order: Order): void {
    this.#child.send(order);
  }

  #receive(report: Report): void {
    if ('stalls' in report) {
      for (const { fromMs, toMs } of report.stalls)
        this.stalls.push({ fromMs: fromMs + this.#offsetMs, toMs: toMs + this.#offsetMs });
    }
    if ('answers' in report) for (const answer of report.answers) this.#record(answer);
  }

  #record({ id, fromMs, handedMs, toMs, outcome }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending) throw new Error(`the validator "${this.name}" answered what was not asked`);
    const { pair, subject, sid, gen } = pending.of;
    this.records.push({
      ...{ validator: this.name, stalenessMs: pending.stalenessMs, deadlineMs: DEADLINE_MS },
      ...{ subject, sid, gen, exp: pair.accessExpiresAt, byFeed: this.#byFeed, outcome },
      fromMs: fromMs + this.#offsetMs,
      handedMs: handedMs + this.#offsetMs,
      toMs: toMs + this.#offsetMs,
    });
    pending.resolve();
  }

  #fail(): void {
    const error = new Error(`the validator "${this.name}" ended: ${this.#printed()}`);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function optionsFor(stalenessMs: Staleness) {
  if (stalenessMs === undefined) return { consistency: 'strict' as const };
  return stalenessMs === MAX_STALENESS_MS ? {} : { maxStaleness: stalenessMs };
}
