// Owns the process that makes load: calls at random moments whatever the answers (open), or a fixed number at a time
// (closed). It is told what to do by its parent, and tells what came of it.

import { ValidateTokenRequest } from '../proto/gen/auth/v1/auth_service.js';
import { type Template, template } from './frames.js';
import { type Outcome, Wire } from './wire.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Tokens that stand. */
  readonly tokens: readonly string[];
  readonly seed: number;
}

/** One piece of load. What begins in the first `warmMs` is made, and not counted. */
export type Load = { readonly warmMs: number; readonly countedMs: number } & (
  | { readonly kind: 'open'; readonly callsPerS: number }
  | { readonly kind: 'closed'; readonly atOnce: number }
);

export interface Outcomes {
  readonly counts: Readonly<Record<Outcome, number>>;
  /** How many answers came while the load was made, whenever their calls were sent: what is served in that time. */
  readonly answeredInTime: number;
  /** Of the calls that were answered, from the sending of the call to its status. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the calls that were refused. */
  readonly refusedP99Ms: number;
  /** How late the load itself was: the 99th of 100 differences between when a call was due and when it went out. */
  readonly lateP99Ms: number;
  /** The share of one core that making the load took. */
  readonly cpuShare: number;
}

/** The deadline that each call carries, as honest clients do. */
const TIMEOUT = '2S';
const PATH = '/auth.v1.AuthService/ValidateToken';
/** `active: true` */
const ACTIVE = Buffer.from([0x08, 0x01]);
/** After the load, how long answers are waited for. */
const LINGER_MS = 2_500;

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

class Run {
  readonly #wires: readonly Wire[];
  readonly #templates: readonly Template[];
  readonly #random: () => number;
  readonly #countsFromMs: number;
  readonly #untilMs: number;
  readonly #counts: Record<Outcome, number> = { answered: 0, refused: 0, failed: 0 };
  #answeredInTime = 0;
  readonly #answeredMs: number[] = [];
  readonly #refusedMs: number[] = [];
  readonly #lateMs: number[] = [];
  #made = 0;

  constructor(wires: readonly Wire[], templates: readonly Template[], random: () => number, load: Load) {
    this.#wires = wires;
    this.#templates = templates;
    this.#random = random;
    this.#countsFromMs = performance.now() + load.warmMs;
    this.#untilMs = this.#countsFromMs + load.countedMs;
  }

  async open(callsPerS: number): Promise<void> {
    let dueMs = performance.now();
    for (let nowMs = dueMs; nowMs < this.#untilMs; nowMs = performance.now()) {
      for (; dueMs <= nowMs; dueMs += (-Math.log(1 - this.#random()) * 1000) / callsPerS) {
        if (nowMs >= this.#countsFromMs) this.#lateMs.push(nowMs - dueMs);
        this.#call(this.#made % this.#wires.length, () => {});
      }
      for (const wire of this.#wires) wire.flush();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#drained();
  }

  async closed(atOnce: number): Promise<void> {
    // The next call takes the connection of the one before: what that has read is what sends it.
    const next = (place: number): void => {
      if (performance.now() < this.#untilMs) this.#call(place, () => next(place));
    };
    for (let count = 0; count < atOnce; count++) next(count % this.#wires.length);
    for (const wire of this.#wires) wire.flush();
    await new Promise((resolve) => setTimeout(resolve, this.#untilMs - performance.now()));
    await this.#drained();
  }

  outcomes(cpuShare: number): Outcomes {
    return {
      counts: this.#counts,
      answeredInTime: this.#answeredInTime,
      p50Ms: quantile(this.#answeredMs, 0.5),
      p99Ms: quantile(this.#answeredMs, 0.99),
      refusedP99Ms: quantile(this.#refusedMs, 0.99),
      lateP99Ms: quantile(this.#lateMs, 0.99),
      cpuShare,
    };
  }

  #call(place: number, then: () => void): void {
    const wire = this.#wires[place];
    const sent = this.#templates[Math.floor(this.#random() * this.#templates.length)];
    this.#made++;
    if (!wire || !sent) throw new Error('there is nothing to send, or nowhere to send it');
    const startMs = performance.now();
    wire.call(sent, (outcome) => {
      const nowMs = performance.now();
      if (outcome === 'answered' && nowMs >= this.#countsFromMs && nowMs < this.#untilMs) this.#answeredInTime++;
      if (startMs >= this.#countsFromMs) this.#count(outcome, nowMs - startMs);
      then();
    });
  }

  #count(outcome: Outcome, ms: number): void {
    this.#counts[outcome]++;
    if (outcome === 'answered') this.#answeredMs.push(ms);
    if (outcome === 'refused') this.#refusedMs.push(ms);
  }

  async #drained(): Promise<void> {
    const lastMs = performance.now() + LINGER_MS;
    while (this.#wires.some((wire) => wire.underWay > 0) && performance.now() < lastMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function serve({ host, port, connections, tokens, seed }: Target): Promise<void> {
  const random = randomFrom(seed);
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.open(host, port)));
  const templates = tokens.map((accessToken) => {
    const message = ValidateTokenRequest.encode({ accessToken, includeClaims: false }).finish();
    return template(PATH, message, ACTIVE, TIMEOUT);
  });
  process.on('message', async (load: Load) => {
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    const run = new Run(wires, templates, random, load);
    if (load.kind === 'open') await run.open(load.callsPerS);
    else await run.closed(load.atOnce);
    const { user, system } = process.cpuUsage(cpu);
    process.send?.(run.outcomes((user + system) / 1000 / (performance.now() - startMs)));
  });
  process.send?.('ready');
}

if (process.send) process.once('message', (target: Target) => void serve(target));
