// A chaos run from its start to its verdict: the store and the nodes, the clients, the faults, the clock.

import { setMaxListeners } from 'node:events';
import type { Source } from '../../src/validator/index.js';
import { answerWithin, elapse, until } from '../support/waiting.js';
import { violationsIn } from './checker.js';
import { Client } from './client.js';
import { Cluster, GRACE_MS, type StoreKind } from './cluster.js';
import { Faults } from './faults.js';
import { Random } from './random.js';
import type { History, Violation } from './record.js';
import { Recorder } from './recorder.js';
import { Sessions } from './sessions.js';
import { watchStalls } from './stalls.js';
import { Validators } from './validators.js';

const CLIENTS = 24;
/** How often clients log out where validators are to notice it, in parts of a thousand. */
const MANY_LOGOUTS = 100;
/** The calls that each client makes after the last fault, if the run ends by a number of faults: enough for a judgement. */
const LAST_CALLS = 25;
/** After the last action, how long calls and faults may take to end, ms: two failovers of Sentinels on a slow machine. */
const END_LIMIT_MS = 60_000;
/** How much longer than its time a run may take until it has shown enough, on a slow machine. It ends then in any case. */
const ENOUGH_LIMIT_MS = 40_000;

/** What a run has shown so far. */
export type Shown = Pick<History, 'calls' | 'faults' | 'validations'>;

export interface ChaosOptions {
  /** How long clients act, at most, unless the run has not shown enough by then. */
  readonly seconds: number;
  /** Determines what clients and faults choose; not when the machine gets to it. */
  readonly seed: number;
  readonly store: StoreKind;
  /** Whether faults happen. */
  readonly faults: boolean;
  /** The one kind of faults that happens; undefined: all of them. */
  readonly only?: string;
  /** The run ends after this number of rounds of faults and some more calls; undefined: when its time is over. */
  readonly rounds?: number;
  /** The run goes on until it has shown enough: on a slow machine its time may be over before. */
  readonly isEnough?: (shown: Shown) => boolean;
  /** How many clients act at the same time. Default: 24. */
  readonly clients?: number;
  /** Modules that the nodes load first: planted bugs. */
  readonly preloads?: readonly string[];
  /** Whether validators run beside the clients. */
  readonly validators?: boolean;
  /** Only the validators whose answers rest on this run; undefined: all of them. */
  readonly source?: Source;
  /** Modules that the validators load first: planted bugs. */
  readonly validatorPreloads?: readonly string[];
}

export interface ChaosResult {
  readonly history: History;
  readonly violations: readonly Violation[];
  /** What the nodes logged. */
  readonly logs: readonly string[];
}

/** @throws Error if the run itself fails, or does not come to its end */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const cluster = await Cluster.start(options.store, options.preloads);
  try {
    return await runChaosOn(cluster, options);
  } finally {
    await endInTime(cluster);
  }
}

/** Ends a cluster. @throws Error if that takes longer than it may */
export const endInTime = (cluster: Cluster): Promise<void> => within(END_LIMIT_MS, cluster.close());

/**
 * A run on a store and nodes that may have had others before, with subjects of its own.
 * @throws Error if the run itself fails, or does not come to its end
 */
export async function runChaosOn(cluster: Cluster, options: ChaosOptions): Promise<ChaosResult> {
  if ((await cluster.recovered(10_000)) === undefined) throw new Error('the nodes did not come to serve');
  const random = new Random(options.seed);
  const recorder = new Recorder(cluster.nodes);
  const sessions = new Sessions();
  const misfortunes = new Faults(cluster, random.fork(), { recorder, sessions }, options.only);
  const parts = options.validators ? MANY_LOGOUTS : undefined;
  const newClient = () => new Client(random.fork(), recorder, sessions, parts);
  const clients = Array.from({ length: options.clients ?? CLIENTS }, newClient);
  const stop = new AbortController();
  // Each client and each validator waits by it.
  setMaxListeners(0, stop.signal);
  const { nodes } = cluster;
  const preloads = options.validatorPreloads ?? [];
  const tools = { nodes, sessions, recorder, random: random.fork(), preloads, source: options.source };
  const validators = options.validators ? await Validators.start(tools) : undefined;
  const watch = watchStalls(() => performance.now());
  const acting = Promise.all([...clients, ...(validators ? [validators] : [])].map((each) => each.run(stop.signal)));
  const faults = options.faults ? misfortunes.run(stop.signal, options.rounds) : undefined;
  const work = Promise.all([acting, faults]);
  const { isEnough = () => true } = options;
  const shown = (): Shown => ({
    calls: recorder.calls,
    faults: misfortunes.records,
    validations: validators?.records ?? [],
  });
  const enough = (leastCalls = 0): Promise<unknown> =>
    until(
      () => stop.signal.aborted || (recorder.calls.length >= leastCalls && isEnough(shown())),
      ENOUGH_LIMIT_MS,
    ).catch(() => undefined);
  const over = async (): Promise<void> => {
    await elapse(options.seconds * 1_000, 'the length of the run', stop.signal);
    await enough();
  };
  const allRounds = async (): Promise<void> => {
    await faults;
    await enough(recorder.calls.length + LAST_CALLS * clients.length);
  };
  try {
    await Promise.race([over(), work, ...(options.rounds === undefined ? [] : [allRounds()])]);
  } finally {
    stop.abort();
    await within(END_LIMIT_MS, work).finally(() => validators?.stop());
  }
  const history: History = {
    ...shown(),
    losses: misfortunes.losses,
    takesBack: cluster.replicated !== undefined,
    stalls: watch.end(),
    validatorStalls: validators?.stalls ?? {},
    unixOffsetMs: Date.now() - performance.now(),
    graceMs: GRACE_MS,
  };
  return { history, violations: violationsIn(history), logs: cluster.nodes.map(({ log }) => log) };
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const ended = await answerWithin(
    limitMs,
    work.then(() => true),
  );
  if (!ended) throw new Error(`the run did not end within ${limitMs} ms`);
}
