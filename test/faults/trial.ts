// Owns the trial of one fault: it is inflicted on a running scene, calls are made, it is healed, and what stands
// afterwards is held against what was acknowledged. All the while both nodes are asked for verdicts.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { until } from '../e2e/stage.js';
import { isServing, type Scene } from './fault-scene.js';
import { codeOfFailure, Ledger, verdictOf } from './ledger.js';
import type { RedisFault } from './redis-faults.js';
import { type Made, prepareRound } from './round.js';

/** How long it may take until a fault is noticed that no call meets, and until all is well after it, ms. */
export const NOTICED_MS = 2_000;
export const HEALED_MS = 2_000;
/** How often each call is made while the fault lasts: at once, and again once the fault is noticed. */
const ROUNDS = 3;

export interface Trial {
  /** The calls that were made at once, when nobody had noticed yet. */
  readonly atOnce: readonly Made[];
  /** Those that were made once it was noticed. */
  readonly made: readonly Made[];
  /** When the health of the node said so, ms after the fault began; undefined: it says SERVING on purpose. */
  readonly noticedMs: number | undefined;
  readonly recoveredMs: number;
  /** What must never be: a wrong verdict at any time, or an acknowledgement that does not hold. */
  readonly faults: readonly string[];
}

export async function tryFault(fault: RedisFault, scene: Scene): Promise<Trial> {
  const { near } = scene;
  const ledger = new Ledger();
  const good = await near.client.refresh((await near.client.issue()).refreshToken);
  const dead = await near.client.issue();
  await near.client.logout({ refreshToken: dead.refreshToken });
  const [first, ...later] = await Promise.all(
    Array.from({ length: ROUNDS }, () => prepareRound(scene, ledger, { good, dead })),
  );
  const watch = watchVerdicts(scene, fault, good, () => [dead, ...ledger.ended]);

  const startMs = performance.now();
  await fault.inflict(scene);
  const atOnce = (await first?.()) ?? [];
  let noticedMs: number | undefined;
  if (fault.reads === 'UNAVAILABLE') {
    await until(async () => !(await isServing(near)), NOTICED_MS);
    noticedMs = performance.now() - startMs;
  }
  const made: Made[] = [];
  for (const round of later) made.push(...(await round()));
  await fault.heal(scene);
  const recoveredMs = await until(() => isWhole(scene), HEALED_MS);
  const said = await watch.stop();
  const left = fault.keeps === 'everything' ? await ledger.faultsIn(scene) : await ledger.faultsAfterLoss(scene);
  return { atOnce, made, noticedMs, recoveredMs, faults: [...said, ...left] };
}

/** Asks both nodes, again and again, for a good session and for those whose end was acknowledged before it asked. */
function watchVerdicts({ near, far }: Scene, { keeps }: RedisFault, good: TokenPair, ended: () => TokenPair[]) {
  const faults = new Set<string>();
  const over = new AbortController();
  const toGood = ['active', 'UNAVAILABLE', ...(keeps === 'everything' ? [] : ['REVOKED'])];
  const ask = async (node: typeof near): Promise<void> => {
    const [ofGood = '', ...ofEnded] = await Promise.all([good, ...ended()].map((pair) => verdictOf(node, pair)));
    if (!toGood.includes(ofGood)) faults.add(`a good session was called ${ofGood}`);
    for (const verdict of ofEnded) {
      if (!['REVOKED', 'UNAVAILABLE'].includes(verdict)) faults.add(`an ended session was called ${verdict}`);
    }
  };
  const watched = [near, far].map(async (node) => {
    while (!over.signal.aborted) {
      await ask(node);
      await sleep(15);
    }
  });
  return {
    stop: async () => {
      over.abort();
      await Promise.all(watched);
      return faults;
    },
  };
}

/** Whether both nodes say that they serve, and a whole life of a session goes well on them. */
async function isWhole({ near, far, browser }: Scene): Promise<boolean> {
  if (!((await isServing(near)) && (await isServing(far)))) return false;
  try {
    const pair = await near.client.issue('dave');
    if ((await browser.refresh(pair.refreshToken)).status !== 200) return false;
    await far.client.logout({ refreshToken: pair.refreshToken });
    return (await near.client.verdict(pair.accessToken)) === 'REVOKED';
  } catch (error) {
    codeOfFailure(error);
    return false;
  }
}
