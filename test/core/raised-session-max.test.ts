// Tests of the denial of an adopted session when SESSION_MAX is raised: no token becomes active again.

import { expect } from 'chai';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { ADOPTED_MAX_MS } from '../../src/core/token/rules.js';
import { failure, Scene } from '../support/scene.js';
import { DAY, MINUTE, type Node, POLICY, SECOND } from '../support/world.js';

const HOUR = 60 * MINUTE;
const SMALL = { adoptedSinceMs: 0 };
const LARGE = { ...SMALL, refreshTtlMs: 2_000 * DAY, sessionMaxMs: 3_000 * DAY };

describe('an adopted session, when SESSION_MAX is raised', () => {
  let scene: Scene;
  let raised: Node;
  /** @param days how long after its start its `exp` is */
  const adopted = (days: number): string => {
    const iat = scene.world.nowMs / SECOND;
    const payload = { token_type: 'refresh', jti: 'j', sub: 'alice', iat, exp: iat + days * 86_400 };
    return JSON.stringify({ use: 'adopted', typ: 'JWT', payload });
  };
  beforeEach(async () => {
    scene = new Scene(SMALL);
    raised = scene.node(LARGE);
    await scene.issue('bob');
    scene.world.nowMs += DAY;
  });

  const ends = {
    'was logged out': (token: string) => scene.logout('', token),
    'was logged out after SESSION_MAX': async (token: string) => {
      scene.world.nowMs += POLICY.sessionMaxMs;
      await scene.logout('', token);
    },
    'was cut off': () => scene.revokeSubject('alice'),
    'was used': async (token: string) => {
      await scene.refresh(token);
    },
    'was used, and logged out by our token': async (token: string) => {
      const { refreshToken } = await scene.refresh(token);
      await scene.logout('', refreshToken);
    },
    'was used, lost, and refused': async (token: string) => {
      const { refreshToken, sessionId } = await scene.refresh(token);
      scene.world.evict(sessionId);
      expect(await failure(scene.refresh(refreshToken))).to.equal('REVOKED');
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    for (const days of [60, 366, 1_000]) {
      it(`is over if it ${what}, and its token says ${days} days`, async () => {
        const startMs = scene.world.nowMs;
        const token = adopted(days);
        scene.world.nowMs += SECOND;
        await end(token);
        scene.context = raised;
        const endMs = startMs + Math.min(days * DAY, ADOPTED_MAX_MS);
        for (const atMs of [startMs + 40 * DAY, startMs + 59 * DAY, endMs - 1, endMs + HOUR, startMs + 900 * DAY]) {
          scene.world.nowMs = atMs;
          expect(await failure(scene.refresh(token)), `day ${(atMs - startMs) / DAY}`).to.be.oneOf([
            'REVOKED',
            'REUSED',
            'EXPIRED',
          ]);
        }
      });
    }
  }

  it('that was none of these goes on until 366 days from its start, whatever its token says', async () => {
    const startMs = scene.world.nowMs;
    const token = adopted(1_000);
    scene.context = raised;
    scene.world.nowMs = startMs + ADOPTED_MAX_MS + POLICY.toleranceMs;
    expect(await failure(scene.refresh(token))).to.equal('EXPIRED');
    scene.world.nowMs--;
    const pair = await scene.refresh(token);
    scene.world.nowMs += DAY;
    await scene.refresh(pair.refreshToken);
  });

  it('has its cut-off kept for as long as that, and an hour; where none is adopted, for SESSION_MAX and an hour', async () => {
    const key: StoreKey = { kind: 'not-before', subject: 'alice' };
    scene.context = scene.node({ adopts: false });
    await scene.revokeSubject('alice');
    expect(scene.world.lifetimeMs(key)).to.equal(POLICY.sessionMaxMs + HOUR);
    scene.context = scene.node();
    await scene.revokeSubject('alice');
    expect(scene.world.lifetimeMs(key)).to.be.closeTo(ADOPTED_MAX_MS + HOUR, 5);
    // A lifetime is never shortened.
    scene.context = scene.node({ adopts: false });
    await scene.revokeSubject('alice');
    expect(scene.world.lifetimeMs(key)).to.be.closeTo(ADOPTED_MAX_MS + HOUR, 5);
    scene.context = scene.node({ sessionMaxMs: 1_000 * DAY });
    await scene.revokeSubject('alice');
    expect(scene.world.lifetimeMs(key)).to.be.closeTo(1_000 * DAY + HOUR, 5);
  });

  it('has its end kept until its token has ended, and an hour', async () => {
    const key = ({ sessionId }: { sessionId: string }): StoreKey =>
      ({ kind: 'session', subject: 'alice', sessionId }) as StoreKey;
    const pair = await scene.refresh(adopted(60));
    expect(scene.world.lifetimeMs(key(pair))).to.equal(60 * DAY + HOUR);
    await scene.logout('', pair.refreshToken);
    expect(scene.world.lifetimeMs(key(pair))).to.equal(60 * DAY + HOUR);
  });

  it('has its end kept for 366 days and an hour, where its token says more', async () => {
    const pair = await scene.refresh(adopted(1_000));
    const key: StoreKey = { kind: 'session', subject: 'alice', sessionId: pair.sessionId };
    expect(scene.world.lifetimeMs(key)).to.equal(ADOPTED_MAX_MS + HOUR);
  });
});
