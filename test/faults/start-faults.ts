// The faults of a Redis when a node starts, and the trial of each.

import { until } from '../support/waiting.js';
import { isServing, PASSWORD, type Scene, USER, urlAt } from './fault-scene.js';
import { codeOfFailure, verdictOf } from './ledger.js';
import type { Made } from './round.js';
import { HEALED_MS } from './trial.js';

export interface StartFault {
  readonly name: string;
  inflict(scene: Scene): Promise<void>;
  heal(scene: Scene): Promise<void>;
}

const password =
  (change: string) =>
  async ({ redis }: Scene) =>
    void (await redis.raw.acl('SETUSER', USER, 'resetpass', change));

export const START_FAULTS: readonly StartFault[] = [
  { name: 'wrong password from the start', inflict: password('>another'), heal: password(`>${PASSWORD}`) },
  {
    name: 'accepts connections and never answers, from the start',
    inflict: async ({ proxy }) => proxy.drop(),
    heal: async ({ proxy }) => proxy.mend(),
  },
  {
    name: 'a replica from the start',
    inflict: async ({ redis }) => void (await redis.raw.replicaof('127.0.0.1', '1')),
    heal: async ({ redis }) => void (await redis.raw.replicaof('NO', 'ONE')),
  },
];

export interface StartTrial {
  /** How long the node took until it listened: it waits for its store for a while. */
  readonly startedMs: number;
  readonly made: readonly Made[];
  readonly recoveredMs: number;
}

/** Starts a third node while something is wrong, calls it, and mends what was wrong. */
export async function tryStart(fault: StartFault, scene: Scene): Promise<StartTrial> {
  const { stage, redis, proxy, far } = scene;
  const pair = await far.client.issue();
  await fault.inflict(scene);
  const startMs = performance.now();
  const late = await stage.serve(redis, { REDIS_URL: urlAt(proxy.port) });
  const startedMs = performance.now() - startMs;
  const call = async (kind: Made['kind'], work: () => Promise<string>): Promise<Made> => {
    const calledMs = performance.now();
    return { kind, at: 'near', outcome: await work(), ms: performance.now() - calledMs };
  };
  const made = await Promise.all([
    call('read', () => verdictOf(late, pair)),
    call('read', () => late.client.issue().then(() => 'OK', codeOfFailure)),
    call('write', () => late.client.logout(pair).then(() => 'OK', codeOfFailure)),
    call('write', () => late.client.refresh(pair.refreshToken).then(() => 'OK', codeOfFailure)),
  ]);
  await fault.heal(scene);
  const recoveredMs = await until(() => isServing(late), HEALED_MS);
  await until(() => isServing(far), HEALED_MS);
  await late.client.refresh(pair.refreshToken);
  await late.process.kill();
  return { startedMs, made, recoveredMs };
}
