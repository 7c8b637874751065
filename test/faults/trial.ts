// The trial of one fault: inflict it on a running scene, make calls, heal it, compare the final state with the answers.
//
// Both nodes validate tokens all the time.

import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { BUSY_MS } from '../support/busy.js';
import { elapse, until } from '../support/waiting.js';
import { isServing, type Scene } from './fault-scene.js';
import { codeOfFailure, Ledger, verdictOf, verdictsOf } from './ledger.js';
import type { RedisFault } from './redis-faults.js';
import { type Made, prepareRound, type Round } from './round.js';

/** How long it may take until a fault is noticed that no call meets, and until all is well after it, ms. */
export const NOTICED_MS = 2_000 + BUSY_MS;
export const HEALED_MS = 2_000 + BUSY_MS;
/** Each call is made when the fault begins, at once after it, and so often again once it is noticed. */
const LATER_ROUNDS = 2;
/**
 * So late is each answer of Redis to the near node when the fault begins, ms: it begins when a write of that node has been
 * made, and its answer is still on its way. The far node also writes that many entries in a round.
 */
const UNDER_WAY_MS = 150;
const WRITES_OF_FAR = 2;

export interface Trial {
  /** The calls that were under way when the fault began. */
  readonly underWay: readonly Made[];
  /** Those made immediately after it, before any node has noticed. */
  readonly atOnce: readonly Made[];
  /** Those that were made once it was noticed. */
  readonly made: readonly Made[];
  /** When the health of the node said so, ms after the fault began; undefined: it says SERVING on purpose. */
  readonly noticedMs: number | undefined;
  readonly recoveredMs: number;
  /** How many calls have written, without an answer that arrived. */
  readonly unheard: number;
  /** What must never be: a wrong verdict at any time, or an acknowledgement that does not hold. */
  readonly faults: readonly string[];
}

export async function tryFault(fault: RedisFault, scene: Scene): Promise<Trial> {
  const { near } = scene;
  const ledger = new Ledger();
  const good = await near.client.refresh((await near.client.issue()).refreshToken);
  const dead = await near.client.issue();
  await near.client.logout({ refreshToken: dead.refreshToken });
  const prepare = () => prepareRound(scene, ledger, { good, dead });
  const rounds = await Promise.all([prepare(), prepare(), ...Array.from({ length: LATER_ROUNDS }, prepare)]);
  const watch = watchVerdicts(scene, fault, good, () => [dead, ...ledger.ended]);

  try {
    const outcome = await endure(fault, scene, rounds);
    const said = await watch.stop();
    const { unheard, faults } =
      fault.keeps === 'everything' ? await ledger.audit(scene) : await ledger.auditLoss(scene);
    return { ...outcome, unheard, faults: [...said, ...faults] };
  } finally {
    await watch.stop();
  }
}

/** Inflicts a fault, makes the calls, heals it, and waits until all is well. */
async function endure(
  fault: RedisFault,
  scene: Scene,
  [first, second, ...later]: readonly [Round, Round, ...Round[]],
): Promise<Omit<Trial, 'unheard' | 'faults'>> {
  const { raw } = scene.redis;
  const entries = await raw.dbsize();
  scene.proxy.delay(UNDER_WAY_MS);
  const crossing = first();
  await until(async () => (await raw.dbsize()) >= entries + WRITES_OF_FAR + 1);
  scene.proxy.delay(0);
  const startMs = performance.now();
  await fault.inflict(scene);
  const [underWay, atOnce] = await Promise.all([crossing, second()]);
  let noticedMs: number | undefined;
  if (fault.reads === 'UNAVAILABLE') {
    await until(async () => !(await isServing(scene.near)), NOTICED_MS);
    noticedMs = performance.now() - startMs;
    if (fault.strikes === 'both') await until(async () => !(await isServing(scene.far)), NOTICED_MS);
  }
  const made: Made[] = [];
  for (const round of later) made.push(...(await round()));
  await fault.heal(scene);
  return { underWay, atOnce, made, noticedMs, recoveredMs: await until(() => isWhole(scene), HEALED_MS) };
}

/** Asks both nodes, again and again, for a good session and for those whose end was acknowledged before it asked. */
function watchVerdicts({ near, far }: Scene, { keeps }: RedisFault, good: TokenPair, ended: () => TokenPair[]) {
  const faults = new Set<string>();
  const over = new AbortController();
  const toGood = ['active', 'UNAVAILABLE', ...(keeps === 'everything' ? [] : ['REVOKED'])];
  const ask = async (node: typeof near): Promise<void> => {
    const all = ended();
    const [ofGood, ofAll, ...ofLast] = await Promise.all([
      verdictOf(node, good),
      verdictsOf(node, all),
      // By ValidateToken, too.
      ...all.slice(-1).map((pair) => verdictOf(node, pair)),
    ]);
    if (!toGood.includes(ofGood)) faults.add(`a good session was called ${ofGood}`);
    for (const verdict of [...ofAll, ...ofLast]) {
      if (!['REVOKED', 'UNAVAILABLE'].includes(verdict)) faults.add(`an ended session was called ${verdict}`);
    }
  };
  const watched = [near, far].map(async (node) => {
    while (!over.signal.aborted) {
      await ask(node);
      await elapse(30, 'paces calls');
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
