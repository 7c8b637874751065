// The process that makes load: calls at random moments (open), or a fixed number at a time (closed).
// Its parent sends it the work and the load, and gets the outcomes.

import { quantile } from '../figures.js';
import type { CallSource, Outcome, Wire } from './call.js';
import { callSourceOf } from './call-source.js';
import { GrpcWire } from './grpc-wire.js';
import { HttpWire } from './http-wire.js';
import type { Work } from './work.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Default: gRPC, by HTTP/2. */
  readonly protocol?: 'grpc' | 'http';
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
  /** How many calls were begun, and how long it took from the first one's start to the last one's end. */
  readonly begun: number;
  readonly tookMs: number;
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

/** After the load, how long answers are waited for. */
const LINGER_MS = 10_000;

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

class Run {
  readonly #wires: readonly Wire[];
  readonly #source: CallSource;
  readonly #random: () => number;
  readonly #countsFromMs: number;
  readonly #untilMs: number;
  readonly #counts: Record<Outcome, number> = { answered: 0, refused: 0, failed: 0 };
  #answeredInTime = 0;
  readonly #answeredMs: number[] = [];
  readonly #refusedMs: number[] = [];
  readonly #lateMs: number[] = [];
  #begun = 0;
  #exhausted = false;
  readonly #startMs = performance.now();
  #lastMs = this.#startMs;

  constructor(wires: readonly Wire[], source: CallSource, random: () => number, load: Load) {
    this.#wires = wires;
    this.#source = source;
    this.#random = random;
    this.#countsFromMs = this.#startMs + load.warmMs;
    this.#untilMs = this.#countsFromMs + load.countedMs;
  }

  async open(callsPerS: number): Promise<void> {
    let dueMs = performance.now();
    for (let nowMs = dueMs; this.#goesOn(nowMs); nowMs = performance.now()) {
      for (; dueMs <= nowMs; dueMs += (-Math.log(1 - this.#random()) * 1000) / callsPerS) {
        if (nowMs >= this.#countsFromMs) this.#lateMs.push(nowMs - dueMs);
        this.#call(this.#begun % this.#wires.length, () => {});
      }
      for (const wire of this.#wires) wire.flush();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#drained();
  }

  async closed(atOnce: number): Promise<void> {
    // The next call takes the connection of the one before: what that has read is what sends it.
    const next = (place: number): void => {
      if (this.#goesOn(performance.now())) this.#call(place, () => next(place));
    };
    for (let count = 0; count < atOnce; count++) next(count % this.#wires.length);
    for (const wire of this.#wires) wire.flush();
    while (this.#goesOn(performance.now())) await new Promise((resolve) => setTimeout(resolve, 5));
    await this.#drained();
  }

  outcomes(cpuShare: number): Outcomes {
    return {
      counts: this.#counts,
      answeredInTime: this.#answeredInTime,
      begun: this.#begun,
      tookMs: this.#lastMs - this.#startMs,
      p50Ms: quantile(this.#answeredMs, 0.5),
      p99Ms: quantile(this.#answeredMs, 0.99),
      refusedP99Ms: quantile(this.#refusedMs, 0.99),
      lateP99Ms: quantile(this.#lateMs, 0.99),
      cpuShare,
    };
  }

  #goesOn(nowMs: number): boolean {
    return nowMs < this.#untilMs && !this.#exhausted;
  }

  #call(place: number, then: () => void): void {
    const wire = this.#wires[place];
    if (!wire) throw new Error('there is nowhere to send to');
    const call = this.#source();
    this.#exhausted = call === undefined;
    if (!call) return;
    this.#begun++;
    const startMs = performance.now();
    wire.call(call, (outcome) => {
      const nowMs = performance.now();
      this.#lastMs = nowMs;
      if (outcome === 'refused') call.refused?.();
      if (outcome === 'answered' && nowMs >= this.#countsFromMs && nowMs < this.#untilMs) this.#answeredInTime++;
      if (startMs >= this.#countsFromMs) this.#count(outcome, nowMs - startMs);
      // On a connection that is gone a call fails at once, and so would all that follow, each within the other.
      if (outcome !== 'failed') then();
      else {
        setImmediate(() => {
          then();
          // What has read the answer has sent what waited then, and this call comes after that.
          wire.flush();
        });
      }
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

const openWire = ({ host, port, protocol = 'grpc' }: Target): Promise<Wire> =>
  protocol === 'grpc' ? GrpcWire.open(host, port) : HttpWire.open(host, port);

async function serve(target: Target): Promise<void> {
  const random = randomFrom(target.seed);
  let wires = await Promise.all(Array.from({ length: target.connections }, () => openWire(target)));
  let source: CallSource = () => undefined;
  process.on('message', async (work: Work | Load) => {
    if ('route' in work) {
      source = callSourceOf(work, random);
      process.send?.('taken');
      return;
    }
    // Servers of HTTP end connections that rest while another contender has its turn.
    wires = await Promise.all(wires.map((wire) => (wire.isOpen ? wire : openWire(target))));
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    const run = new Run(wires, source, random, work);
    if (work.kind === 'open') await run.open(work.callsPerS);
    else await run.closed(work.atOnce);
    const { user, system } = process.cpuUsage(cpu);
    process.send?.(run.outcomes((user + system) / 1000 / (performance.now() - startMs)));
  });
  process.send?.('ready');
}

if (process.send) process.once('message', (target: Target) => void serve(target));
