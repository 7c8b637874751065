// Tests of the refresh rule, case by case, with the clock handed in.

import { expect } from 'chai';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { failure, Scene } from '../support/scene.js';
import { DAY, MINUTE, POLICY, run, SECOND, settle } from '../support/world.js';

const claimsOf = (token: string): Record<string, unknown> => JSON.parse(token).payload;
const keyOf = ({ sessionId }: Pair): StoreKey => ({ kind: 'session', subject: 'alice', sessionId });

describe('a refresh', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('gives the next generation of the same session, with the same claims', async () => {
    const first = await scene.issue('alice', { role: 'admin' });
    const second = await scene.refresh(first.refreshToken);
    expect(second.sessionId).to.equal(first.sessionId);
    expect(claimsOf(second.accessToken)).to.include({
      token_type: 'access',
      sub: 'alice',
      gen: 1,
      role: 'admin',
      jti: `a${first.sessionId}.1`,
    });
    expect(claimsOf(second.refreshToken)).to.include({
      token_type: 'refresh',
      jti: `r${first.sessionId}.1`,
      role: 'admin',
    });
    expect(await scene.verdict(second.accessToken)).to.equal('active');
    expect(scene.takeEvents()).to.deep.equal(['session_started', 'session_refreshed']);
  });

  it('gives the same successor again within the grace window', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += POLICY.graceMs;
    expect(await scene.refresh(first.refreshToken)).to.deep.equal(second);
    expect(scene.takeEvents().at(-1)).to.equal('session_replayed');
  });

  it('gives it also from a node with other settings', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.context = scene.node({ accessTtlMs: MINUTE, refreshTtlMs: 14 * DAY, sessionMaxMs: 60 * DAY });
    scene.world.nowMs += SECOND;
    expect(await scene.refresh(first.refreshToken)).to.deep.equal(second);
  });

  it('ends the session when the old token comes after the window', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += POLICY.graceMs + 1;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
    expect(scene.takeEvents().slice(-2)).to.deep.equal(['session_ended', 'session_reused']);
    expect(await failure(scene.refresh(second.refreshToken))).to.equal('REVOKED');
    expect(await scene.verdict(second.accessToken)).to.equal('REVOKED reuse');
  });

  it('refuses a delayed duplicate, two behind, and ends nothing', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    const third = await scene.refresh(second.refreshToken);
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
    expect(scene.takeEvents().at(-1)).to.equal('session_duplicate');
    expect(await scene.verdict(third.accessToken)).to.equal('active');
  });

  it('does not run the window while the store could not be reached', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += SECOND;
    scene.world.setReachable(false);
    scene.world.nowMs += 5 * MINUTE;
    scene.world.setReachable(true);
    scene.world.nowMs += POLICY.graceMs - SECOND;
    expect(await scene.refresh(first.refreshToken)).to.deep.equal(second);
    scene.world.nowMs += 1;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
  });

  it('does not open a window again that was over before the store went away', async () => {
    const first = await scene.issue();
    await scene.refresh(first.refreshToken);
    scene.world.nowMs += POLICY.graceMs + 1;
    scene.world.setReachable(false);
    scene.world.nowMs += SECOND;
    scene.world.setReachable(true);
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
  });

  it('gives a node that has just started ten minutes of doubt, and no more', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    const started = (afterMs: number) => {
      const later = new Scene({}, scene.world.nowMs + afterMs);
      later.world.nowMs = scene.world.nowMs + afterMs;
      later.world.copyFrom(scene.world);
      return later;
    };
    expect(await started(10 * MINUTE).refresh(first.refreshToken)).to.deep.equal(second);
    expect(await failure(started(11 * MINUTE).refresh(first.refreshToken))).to.equal('REUSED');
  });

  it('replays for a racer that saw its token current, however long it takes to lose', async () => {
    const first = await scene.issue();
    const calls = [scene.begin(first.refreshToken), scene.begin(first.refreshToken)];
    for (let step = 0; step < 4; step++) await scene.step();
    scene.world.nowMs += POLICY.graceMs + SECOND;
    await scene.step();
    const [one, other] = await Promise.all(calls);
    expect(other).to.deep.equal(one);
  });

  for (const graceMs of [0, 100]) {
    it(`ends nothing for a loser that reads again when its winner has refreshed once more, grace ${graceMs} ms`, async () => {
      scene = new Scene({ graceMs });
      const first = await scene.issue();
      const loser = scene.begin(first.refreshToken);
      await scene.step();
      await settle();
      const [swap] = scene.world.pending.splice(0);
      const second = await scene.refresh(first.refreshToken);
      const third = await scene.refresh(second.refreshToken);
      scene.world.nowMs += graceMs + 1;
      if (swap) scene.world.pending.push(swap);
      expect(await failure(run(scene.world, loser))).to.equal('REUSED');
      expect(await scene.verdict(third.accessToken)).to.equal('active');
    });
  }

  it('ends a session for one that comes two behind and after the window, and has raced no other call', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    const third = await scene.refresh(second.refreshToken);
    scene.world.nowMs += POLICY.graceMs + 1;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
    expect(await scene.verdict(third.accessToken)).to.equal('REVOKED reuse');
  });

  it('does not replay what is past SESSION_MAX', async () => {
    scene = new Scene({ refreshTtlMs: POLICY.sessionMaxMs });
    const first = await scene.issue();
    scene.world.nowMs += POLICY.sessionMaxMs - SECOND;
    await scene.refresh(first.refreshToken);
    scene.world.nowMs += 2 * SECOND;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('EXPIRED');
  });

  it('replays for a token that expired between the try and the retry, and for no other expired one', async () => {
    const first = await scene.issue();
    scene.world.nowMs += POLICY.refreshTtlMs - SECOND;
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += 2 * SECOND;
    expect(await scene.refresh(first.refreshToken)).to.deep.equal(second);
    scene.world.nowMs += POLICY.graceMs;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('EXPIRED');
    expect(await scene.verdict(second.accessToken)).to.equal('active');
  });

  it('heals a store that has lost writes', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    const kept = scene.world.get(keyOf(first)) ?? '';
    const third = await scene.refresh(second.refreshToken);
    scene.world.put(keyOf(first), kept);
    expect(await scene.verdict(third.accessToken)).to.equal('active');
    const fourth = await scene.refresh(third.refreshToken);
    expect(claimsOf(fourth.refreshToken)['gen']).to.equal(3);
    expect(scene.takeEvents().at(-1)).to.equal('session_healed');
  });

  it('ends a session that the store has lost, so that the denial stays', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.evict(first.sessionId);
    scene.takeEvents();
    expect(await scene.verdict(second.accessToken)).to.equal('REVOKED lost');
    expect(scene.takeEvents()).to.deep.equal(['session_lost']);
    const refused = await scene.refresh(second.refreshToken).catch((error: unknown) => error);
    expect(refused).to.include({ problem: 'REVOKED', why: 'lost' });
    expect(scene.takeEvents().slice(-2)).to.deep.equal(['session_ended', 'session_lost']);
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REVOKED');
  });

  it('keeps one entry, until the last token that it speaks of has ended and an hour more', async () => {
    let pair = await scene.issue();
    expect(scene.world.size).to.equal(0);
    for (let n = 0; n < 20; n++) pair = await scene.refresh(pair.refreshToken);
    expect(scene.world.size).to.equal(1);
    expect(scene.world.lifetimeMs(keyOf(pair))).to.equal(POLICY.refreshTtlMs + 60 * MINUTE);
  });

  it('keeps the entry as long as the token that was traded, though REFRESH_TTL was lowered in between', async () => {
    const first = await scene.issue();
    scene.context = scene.node({ refreshTtlMs: DAY });
    await scene.refresh(first.refreshToken);
    scene.world.nowMs += 2 * DAY;
    scene.context = scene.node();
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
  });

  it('never gives a token that outlives SESSION_MAX', async () => {
    let pair = await scene.issue();
    const startMs = scene.world.nowMs;
    for (let day = 0; day < 25; day += 5) {
      scene.world.nowMs += 5 * DAY;
      pair = await scene.refresh(pair.refreshToken);
    }
    expect(pair.refreshExpiresAt * 1000).to.equal(startMs + POLICY.sessionMaxMs);
    scene.world.nowMs = startMs + POLICY.sessionMaxMs;
    expect(await failure(scene.refresh(pair.refreshToken))).to.equal('EXPIRED');
  });

  it('ends tokens by the settings of today too', async () => {
    const first = await scene.issue();
    scene.context = scene.node({ refreshTtlMs: DAY, accessTtlMs: MINUTE });
    scene.world.nowMs += 2 * MINUTE;
    expect(await scene.verdict(first.accessToken)).to.equal('EXPIRED');
    scene.world.nowMs += DAY;
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('EXPIRED');
  });

  it('writes nothing once its caller has given up', async () => {
    const first = await scene.issue();
    const { bareStore } = scene.context;
    const { compareAndSet } = bareStore;
    const slow = (...args: Parameters<typeof compareAndSet>) => {
      scene.world.nowMs += 3 * SECOND;
      return compareAndSet(...args);
    };
    Object.assign(bareStore, { compareAndSet: slow });
    const late = scene.refresh(first.refreshToken);
    expect(await failure(late)).to.equal('UNAVAILABLE');
    expect(scene.world.size).to.equal(0);
  });
});
