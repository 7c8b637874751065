// Every interleaving of three calls on one session: one successor, and an ended session stays ended.

import { expect } from 'chai';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { Scene } from '../support/scene.js';
import { isSoak } from '../support/soak.js';
import { aCall, type Step, settle } from '../support/world.js';

const KINDS = ['refresh', 'logout', 'everywhere'] as const;
/** Long enough that two pairs made one after the other differ now and then, short enough that no call gives up. */
const STEP_MS = 200;

type Kind = (typeof KINDS)[number];
type Outcome = Pair | 'ended' | 'refused';

const allMixes = KINDS.flatMap((a) => KINDS.flatMap((b) => KINDS.map((c) => [a, b, c] as const)));
const isInOrder = ([a, b, c]: (typeof allMixes)[number]): boolean =>
  KINDS.indexOf(a) <= KINDS.indexOf(b) && KINDS.indexOf(b) <= KINDS.indexOf(c);
/** The calls begin at one moment, and all orders of their steps are walked through: which is named first says nothing. */
const mixes = allMixes.filter((mix) => isSoak || isInOrder(mix));

/** Walks through all orders: each decision is counted up like the digits of a number. */
class Orders {
  #path: { at: number; of: number }[] = [];
  #depth = 0;

  choose(of: number): number {
    const digit = this.#path[this.#depth] ?? { at: 0, of };
    digit.of = of;
    this.#path[this.#depth++] = digit;
    return digit.at;
  }

  /** Goes to the next order. @returns whether there is one */
  next(): boolean {
    this.#path.length = this.#depth;
    this.#depth = 0;
    for (let last = this.#path.at(-1); last; last = this.#path.at(-1)) {
      if (++last.at < last.of) return true;
      this.#path.pop();
    }
    return false;
  }
}

/**
 * The steps that may be taken next. Of calls of one kind, the first named takes its first step before the others: any
 * other order is the same one with other names.
 */
function choices(pending: readonly Step[], firstSteps: readonly Step[], kinds: readonly Kind[]): readonly Step[] {
  if (isSoak) return pending;
  return pending.filter((step) => {
    const call = firstSteps.indexOf(step);
    return !firstSteps.some((each, n) => n < call && kinds[n] === kinds[call] && pending.includes(each));
  });
}

async function play(
  kinds: readonly Kind[],
  generations: number,
  orders: Orders,
  ignoreExpected: boolean,
): Promise<string> {
  const scene = new Scene();
  let pair = await scene.issue();
  for (let n = 0; n < generations; n++) pair = await scene.refresh(pair.refreshToken);
  scene.world.ignoreExpected = ignoreExpected;
  // Shortly before a full second: `iat` counts them, and two pairs of one second are one.
  scene.world.nowMs += 700;
  const call = aCall();
  const outcomes: Outcome[] = [];
  const { pending } = scene.world;
  const firstSteps: Step[] = [];
  for (const [n, kind] of kinds.entries()) {
    const { refreshToken } = pair;
    const request = { accessToken: '', refreshToken, allSessions: kind === 'everywhere' };
    const running =
      kind === 'refresh' ? refresh(scene.context, call, refreshToken) : logout(scene.context, call, request);
    running.then(
      (answer) => outcomes.push(answer ?? 'ended'),
      (error: unknown) => {
        if (!(error instanceof TokenRefused || error instanceof StoreUnavailable)) throw error;
        outcomes.push('refused');
      },
    );
    await settle();
    firstSteps.push(...pending.slice(firstSteps.length));
    // Each call waits with one step. So the place of a first step is that of its call.
    expect(firstSteps).to.have.length(n + 1);
  }
  while (pending.length > 0) {
    const next = choices(pending, firstSteps, kinds);
    next[orders.choose(next.length)]?.take();
    scene.world.nowMs += STEP_MS;
    await settle();
  }
  scene.world.nowMs++;
  const pairs = outcomes.filter((outcome): outcome is Pair => typeof outcome === 'object');
  if (new Set(pairs.map((each) => each.refreshToken)).size > 1) return 'two successors';
  const ended = outcomes.includes('ended');
  for (const each of [pair, ...pairs]) {
    const active = (await scene.verdict(each.accessToken)) === 'active';
    if (active === ended) return ended ? 'stands after its end' : 'does not stand';
  }
  return 'sound';
}

async function playAll(
  kinds: readonly Kind[],
  generations: number,
  ignoreExpected = false,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const orders = new Orders();
  do {
    const verdict = await play(kinds, generations, orders, ignoreExpected);
    found.set(verdict, (found.get(verdict) ?? 0) + 1);
  } while (orders.next());
  return found;
}

describe('every interleaving of three calls on one session', function () {
  this.timeout(600_000);

  it('gives one successor, and no token is active after an acknowledged end', async () => {
    for (const generations of [0, 1]) {
      for (const kinds of mixes) {
        const found = await playAll(kinds, generations);
        expect([...found.keys()], `${kinds} at generation ${generations}`).to.deep.equal(['sound']);
      }
    }
  });

  it('shows a swap that ignores what it expects: the proof is awake', async () => {
    const found = await playAll(['refresh', 'refresh', 'logout'], 0, true);
    expect([...found.keys()]).to.include.members(['two successors', 'stands after its end']);
  });
});
