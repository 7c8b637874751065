// Owns a chaos run from its start to its verdict: the cluster, the clients, the faults, the clock of it all.

import { setTimeout as sleep } from 'node:timers/promises';
import { violationsIn } from './checker.js';
import { Client } from './client.js';
import { Cluster, GRACE_MS, type StoreKind } from './cluster.js';
import { Faults } from './faults.js';
import { Random } from './random.js';
import type { History, Span, Violation } from './record.js';
import { Recorder } from './recorder.js';
import { Sessions } from './sessions.js';

const CLIENTS = 24;
/** After the last action, how long calls and faults may take to end, ms: two failovers of Sentinels on a slow machine. */
const END_LIMIT_MS = 60_000;
const TICK_MS = 50;
/** A tick that is later than so much is a time in which the harness stood still. */
const STALL_MS = 100;

export interface ChaosOptions {
  readonly seconds: number;
  /** Determines what clients and faults choose; not when the machine gets to it. */
  readonly seed: number;
  readonly store: StoreKind;
  /** Whether faults happen. */
  readonly faults: boolean;
  /** The one kind of faults that happens; undefined: all of them. */
  readonly only?: string;
  /** Modules that the nodes load first: planted bugs. */
  readonly preloads?: readonly string[];
}

export interface ChaosResult {
  readonly history: History;
  readonly violations: readonly Violation[];
  /** What the nodes logged. */
  readonly logs: readonly string[];
}

/** @throws Error if the run itself fails, or does not come to its end */
export async function runChaos({
  seconds,
  seed,
  store,
  faults,
  only,
  preloads = [],
}: ChaosOptions): Promise<ChaosResult> {
  const cluster = await Cluster.start(store, preloads);
  try {
    if ((await cluster.recovered(10_000)) === undefined) throw new Error('the nodes did not come to serve');
    const random = new Random(seed);
    const recorder = new Recorder(cluster.nodes);
    const misfortunes = new Faults(cluster, random.fork(), only);
    const sessions = new Sessions();
    const clients = Array.from({ length: CLIENTS }, () => new Client(random.fork(), recorder, sessions));
    const stop = new AbortController();
    const watch = watchStalls();
    const work = Promise.all([
      ...clients.map((client) => client.run(stop.signal)),
      ...(faults ? [misfortunes.run(stop.signal)] : []),
    ]);
    await Promise.race([sleep(seconds * 1_000), work]);
    stop.abort();
    await within(END_LIMIT_MS, work);
    const history: History = {
      calls: recorder.calls,
      faults: misfortunes.records,
      losses: misfortunes.losses,
      stalls: watch.end(),
      unixOffsetMs: Date.now() - performance.now(),
      graceMs: GRACE_MS,
    };
    return { history, violations: violationsIn(history), logs: cluster.nodes.map(({ log }) => log) };
  } finally {
    await within(END_LIMIT_MS, cluster.close());
  }
}

/** Notes when this process itself stands still. */
function watchStalls(): { end(): Span[] } {
  const stalls: Span[] = [];
  let dueMs = performance.now() + TICK_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs > dueMs + STALL_MS) stalls.push({ fromMs: dueMs, toMs: nowMs });
    dueMs = nowMs + TICK_MS;
  }, TICK_MS);
  return {
    end: () => {
      clearInterval(timer);
      return stalls;
    },
  };
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const late = sleep(limitMs, 'late', { signal: enough.signal }).catch(() => undefined);
  const first = await Promise.race([work, late]);
  enough.abort();
  if (first === 'late') throw new Error(`the run did not end within ${limitMs} ms`);
}
