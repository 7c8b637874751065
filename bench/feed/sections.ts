// The sections of the bench of the feed by name, and how much each of them does.

import { parseArgs } from 'node:util';
import { strict } from '../validator/rows.js';
import { Subject } from '../validator/subject.js';
import { atLeast, below, type Figure, grouped } from './figure.js';
import { neverSeen } from './never-seen.js';
import { COLLECTING, manyStreams } from './streams.js';

export interface Scale {
  readonly rounds: number;
  readonly strictTokens: number;
  readonly streams: number;
  /** How long pings are sent, after as long a time that warms up, ms. */
  readonly streamsMs: number;
}

const FULL: Scale = { rounds: 9, strictTokens: 10_000, streams: 1_000, streamsMs: 10_000 };
const QUICK: Scale = { rounds: 1, strictTokens: 512, streams: 20, streamsMs: 500 };

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

async function strictFigures(subject: Subject, { strictTokens }: Scale): Promise<Figure[]> {
  const { perS, perCoreS, p50Ms, p99Ms, serveUs, asks } = await strict(subject, strictTokens, 'feed');
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
  'never-seen': on((subject, { rounds }) => neverSeen(subject, rounds)),
  strict: on(strictFigures),
  streams: on((subject, { streams, streamsMs }) => manyStreams(subject, streams, streamsMs), COLLECTING),
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
