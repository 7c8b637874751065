// The sections of the bench of the feed by name, and how much each of them does.

import { parseArgs } from 'node:util';
import type { Calls } from '../validator/rate.js';
import { strict } from '../validator/rows.js';
import { Subject } from '../validator/subject.js';
import { atLeast, below, type Figure, grouped } from './figure.js';
import { type FleetScale, fleet } from './fleet.js';
import { held } from './held.js';
import { known } from './known.js';
import { type NeverSeenScale, neverSeen } from './never-seen.js';
import { type RedisScale, redisBeside } from './redis.js';
import { COLLECTING, manyStreams } from './streams.js';

export interface Scale {
  readonly neverSeen: NeverSeenScale;
  readonly strictTokens: number;
  /** Some 25 seconds to warm up: 256 calls share one round, and V8 optimizes until 3,000 rounds have run. */
  readonly strictCalls: Calls;
  readonly streams: number;
  /** How long pings are sent, after as long a time that warms up, ms. */
  readonly streamsMs: number;
  /** Processes that follow, and logouts that they learn of. */
  readonly processes: number;
  readonly logoutsPerS: number;
  readonly logoutSeconds: number;
  readonly revocations: number;
  readonly redis: RedisScale;
  readonly fleet: FleetScale;
}

const FULL: Scale = {
  neverSeen: { tokens: 1_000, warmRounds: 5, rounds: 9 },
  ...{ strictTokens: 10_000, streams: 1_000, streamsMs: 10_000 },
  ...{ processes: 20, logoutsPerS: 200, logoutSeconds: 8, revocations: 100_000 },
  redis: { nodes: 4, rounds: 3, refreshesPerS: 1_000, endsPerS: 100, sessions: 500, ms: 4_000 },
  strictCalls: { warm: 1_500_000, counted: 500_000 },
  fleet: { processes: 10, validators: 100, perS: 1_000, hot: 200, ending: 5, ms: 8_000 },
};
/** Shows that everything works; its figures say nothing. */
const QUICK: Scale = {
  neverSeen: { tokens: 100, warmRounds: 1, rounds: 1 },
  ...{ strictTokens: 256, streams: 20, streamsMs: 500 },
  ...{ processes: 2, logoutsPerS: 20, logoutSeconds: 1, revocations: 2_000 },
  redis: { nodes: 2, rounds: 1, refreshesPerS: 100, endsPerS: 20, sessions: 50, ms: 300 },
  strictCalls: { warm: 256, counted: 1_024 },
  fleet: { processes: 2, validators: 4, perS: 100, hot: 10, ending: 1, ms: 3_000 },
};

/** Each section has a service and a store of its own. */
const on =
  (measure: (subject: Subject, scale: Scale) => Promise<Figure[]>, settings: Readonly<Record<string, string>> = {}) =>
  async (scale: Scale): Promise<Figure[]> => {
    const subject = await Subject.start(true, settings);
    try {
      return await measure(subject, scale);
    } finally {
      await subject.stop();
    }
  };

async function strictFigures(subject: Subject, { strictTokens, strictCalls }: Scale): Promise<Figure[]> {
  const { perS, perCoreS, p50Ms, p99Ms, serveUs, asks } = await strict(subject, strictTokens, 'feed', strictCalls);
  return [
    {
      what: 'strict by the feed, 256 callers without pause, one process',
      measured: `${grouped(perS)}/s (${grouped(perCoreS)} a core s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; ${asks} of all were asked about)`,
      goal: atLeast(40_000, perS, '40,000/s'),
    },
    {
      what: 'CPU of `serve`, a strict validation',
      measured: `${serveUs.toFixed(1)} µs`,
      goal: below(2, serveUs, '2 µs'),
    },
  ];
}

export const SECTIONS = {
  'never-seen': on((subject, scale) => neverSeen(subject, scale.neverSeen)),
  strict: on(strictFigures),
  streams: on((subject, { streams, streamsMs }) => manyStreams(subject, streams, streamsMs), COLLECTING),
  known: on((subject, { processes, logoutsPerS, logoutSeconds }) =>
    known(subject, processes, logoutsPerS, logoutSeconds),
  ),
  held: on((subject, { revocations }) => held(subject, revocations)),
  fleet: on((subject, scale) => fleet(subject, scale.fleet)),
  redis: on((subject, { redis }) => redisBeside(subject, redis)),
} as const;

export type SectionName = keyof typeof SECTIONS;

const isSection = (name: string): name is SectionName => Object.hasOwn(SECTIONS, name);

/** @throws Error that says what is wrong */
export function readOptions(args: readonly string[]): {
  readonly names: readonly SectionName[];
  readonly scale: Scale;
} {
  const options = { only: { type: 'string' }, quick: { type: 'boolean', default: false } } as const;
  const { only, quick } = parseArgs({ args: [...args], options }).values;
  const names = only?.split(',').map((name) => name.trim()) ?? Object.keys(SECTIONS);
  const known = names.filter(isSection);
  if (known.length < names.length)
    throw new Error(`--only ${only}; wanted: some of ${Object.keys(SECTIONS).join(', ')}`);
  return { names: known, scale: quick ? QUICK : FULL };
}
