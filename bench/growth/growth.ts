// How a store behaves as it grows: what calls cost on it, what it takes, and how long a service needs to start.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../figures.js';
import { type Cleanup, cleanly } from '../machine/cleanup.js';
import { enter } from '../speed/contenders.js';
import type { Contender, Figures } from '../speed/contest.js';
import { serveOn } from '../speed/duel.js';
import type { Lab } from '../speed/lab.js';
import { rounds } from '../speed/scenario.js';
import { cannedRefresh, refreshing } from '../speed/scenarios/refresh.js';
import { cannedValidation, sessionsFor, validating } from '../speed/scenarios/validate.js';
import type { StoreKind } from '../stores/filled.js';
import { fillFolder } from '../stores/lmdb-fill.js';
import { EXPIRED, type Swept, sweep } from './sweep.js';

/** At full load what a call costs, at a calm one how long it takes. */
export interface Cost {
  readonly cpuUs: number;
  readonly callsPerS: number;
  readonly calmP99Ms: number;
}

export interface Growth {
  readonly store: StoreKind;
  readonly sessions: number;
  readonly validate: Cost;
  readonly refresh: Cost;
  /** From its start until `serve` said that it listens, ms. */
  readonly startMs: number;
  /** What the entries take: of Redis' memory, or of the disk. */
  readonly bytes: number;
  readonly swept?: Swept;
}

/** Calls a second, at random moments, that every machine can serve. */
export const CALM = { validate: 1_000, refresh: 300 } as const;

interface Grown {
  readonly sessions: number;
  readonly startMs: number;
  readonly bytes: number;
  /** Validate and refresh at full load, then at a calm one. */
  readonly contenders: readonly Contender[];
}

async function grow(lab: Lab, kind: StoreKind, sessions: number, cleanup: Cleanup): Promise<Grown> {
  const choice = { id: kind, what: '', algorithm: 'ES256', store: kind, sessions } as const;
  const { keys } = lab.keys.ES256;
  const store = await lab.store(kind, sessions);
  const service = await serveOn(lab, 'ES256', store, cleanup);
  const tokens = await sessionsFor(lab, choice, Math.min(lab.sizes.tokens, sessions));
  const validate = validating(lab, 'ES256', tokens, cannedValidation(lab), 'in turn').ours;
  const refresh = () => refreshing(keys, lab.fresh(lab.sizes.tokens), cannedRefresh(lab, keys)).ours;
  const entry = { servers: [service], helpers: [store.pid] } as const;
  const name = `${kind}, ${sessions} sessions`;
  const contenders = [
    await enter(lab, { ...entry, name: `validate, ${name}`, work: validate }, cleanup),
    await enter(lab, { ...entry, name: `refresh, ${name}`, work: refresh() }, cleanup),
    await enter(lab, { ...entry, name: `validate, ${name}, calm`, work: validate, callsPerS: CALM.validate }, cleanup),
    await enter(lab, { ...entry, name: `refresh, ${name}, calm`, work: refresh(), callsPerS: CALM.refresh }, cleanup),
  ];
  return { sessions, startMs: service.startedInMs, bytes: store.bytes, contenders };
}

function costOf(full: readonly Figures[] = [], calm: readonly Figures[] = []): Cost {
  return {
    cpuUs: median(full.map(({ cpuUs }) => cpuUs)),
    callsPerS: median(full.map(({ callsPerS }) => callsPerS)),
    calmP99Ms: median(calm.map(({ p99Ms }) => p99Ms)),
  };
}

/** Sizes take their turns in each round, so that they can be compared. */
export const growth = (lab: Lab, store: StoreKind, sizes: readonly number[]): Promise<Growth[]> =>
  cleanly(async (cleanup) => {
    const grown: Grown[] = [];
    for (const sessions of sizes) grown.push(await grow(lab, store, sessions, cleanup));
    const figures = await rounds(
      lab,
      grown.flatMap(({ contenders }) => contenders),
    );
    return grown.map(({ sessions, startMs, bytes, contenders }, at) => {
      const [validate, refresh, calmValidate, calmRefresh] = figures.slice(at * contenders.length);
      const costs = { validate: costOf(validate, calmValidate), refresh: costOf(refresh, calmRefresh) };
      return { store, sessions, ...costs, startMs, bytes };
    });
  });

/** On a folder of its own, which a service has not open. */
export async function sweepOf(lab: Lab, sessions: number): Promise<Swept> {
  const dataDir = join(lab.folder, `sweep-${sessions}`);
  await fillFolder(dataDir, lab.filling(sessions), EXPIRED);
  try {
    return await sweep(dataDir);
  } finally {
    await rm(dataDir, { recursive: true });
  }
}
