// Tests of logout: which sessions it ends, and when nothing is left to end.

import { expect } from 'chai';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { sessionStartMs } from '../../src/core/token/session-id.js';
import { altered, failure, Scene } from '../support/scene.js';
import { DAY, MINUTE, POLICY, SECOND } from '../support/world.js';

describe('a logout', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = new Scene();
    // Past the birth of the store, so that a session starts when it is asked for.
    await scene.issue();
    scene.world.nowMs += SECOND;
  });

  it('ends the session by either token, and answers again', async () => {
    for (const by of ['accessToken', 'refreshToken']) {
      const pair = await scene.issue();
      const [access = '', refresh = ''] = by === 'accessToken' ? [pair.accessToken, ''] : ['', pair.refreshToken];
      await scene.logout(access, refresh);
      await scene.logout(access, refresh);
      expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
      expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REVOKED');
    }
    expect(scene.takeEvents().filter((event) => event === 'session_ended')).to.have.length(2);
  });

  it('takes expired and superseded tokens: they only end', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += POLICY.accessTtlMs + POLICY.graceMs;
    await scene.logout(first.accessToken, '');
    expect(await failure(scene.refresh(second.refreshToken))).to.equal('REVOKED');
    const third = await scene.issue();
    const fourth = await scene.refresh(third.refreshToken);
    scene.world.nowMs += POLICY.graceMs + SECOND;
    await scene.logout('', third.refreshToken);
    expect(await scene.verdict(fourth.accessToken)).to.equal('REVOKED logout');
  });

  it('ends both sessions of two good tokens', async () => {
    const [one, other] = [await scene.issue(), await scene.issue('bob')];
    await scene.logout(one.accessToken, other.refreshToken);
    expect(await scene.verdict(one.accessToken)).to.equal('REVOKED logout');
    expect(await scene.verdict(other.accessToken)).to.equal('REVOKED logout');
  });

  it('ignores a bad bearer beside a good refresh token', async () => {
    const bad = [(token: string) => altered(token, { sub: undefined }), () => 'x'.repeat(8193)];
    for (const spoil of bad) {
      const pair = await scene.issue();
      await scene.logout(spoil(pair.accessToken), pair.refreshToken);
      expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    }
  });

  it('refuses a bad refresh token, and ends nothing', async () => {
    const pair = await scene.issue();
    expect(await failure(scene.logout(pair.accessToken, pair.accessToken))).to.equal('WRONG_TYPE');
    expect(await failure(scene.logout('', altered(pair.refreshToken, { jti: 'x' })))).to.equal('MALFORMED');
    expect(await failure(scene.logout(pair.refreshToken, ''))).to.equal('WRONG_TYPE');
    expect(await failure(scene.logout('', ''))).to.equal('REQUIRED refresh_token');
    expect(await failure(scene.logout('', 'x'.repeat(8193)))).to.equal('TOO_LARGE refresh_token');
    expect(await failure(scene.logout('x'.repeat(8193), ''))).to.equal('TOO_LARGE access_token');
    expect(await scene.verdict(pair.accessToken)).to.equal('active');
  });

  it('writes nothing for a session that cannot be active any more', async () => {
    const pair = await scene.issue();
    scene.world.nowMs += POLICY.sessionMaxMs;
    await scene.logout('', pair.refreshToken);
    expect(scene.world.size).to.equal(0);
  });

  it('keeps the end as long as any token that it knows of, though SESSION_MAX is lowered and raised again', async () => {
    const low = { sessionMaxMs: DAY, refreshTtlMs: DAY };
    for (const by of ['refresh', 'both', 'access', 'late']) {
      scene.context = scene.node();
      const first = await scene.issue();
      const pair = by === 'access' ? await scene.refresh(first.refreshToken) : first;
      if (by === 'late') scene.world.nowMs += DAY + SECOND;
      scene.context = scene.node(low);
      await scene.logout(by === 'refresh' ? '' : pair.accessToken, by === 'access' ? '' : pair.refreshToken);
      scene.context = scene.node();
      scene.world.nowMs += DAY + 2 * 60 * MINUTE;
      expect(await failure(scene.refresh(pair.refreshToken)), by).to.equal('REVOKED');
    }
  });

  it('is written while a token that was answered could be active again, though the one that came cannot', async () => {
    const first = await scene.issue();
    const pair = await scene.refresh(first.refreshToken);
    // SESSION_MAX is lowered: by it no token of the session is active, but the refresh token's `exp` has not passed.
    scene.world.nowMs += DAY + SECOND;
    scene.context = scene.node({ sessionMaxMs: DAY, refreshTtlMs: DAY });
    expect(await failure(scene.refresh(pair.refreshToken))).to.equal('EXPIRED');
    await scene.logout(pair.accessToken, '');
    scene.context = scene.node();
    expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REVOKED');
  });

  it('keeps the end until no token of the session can be active, and an hour more', async () => {
    const pair = await scene.issue();
    scene.world.nowMs += MINUTE;
    await scene.logout(pair.accessToken, '');
    const key: StoreKey = { kind: 'session', subject: 'alice', sessionId: pair.sessionId };
    expect(scene.world.lifetimeMs(key)).to.equal(POLICY.sessionMaxMs + 59 * MINUTE);
  });
});

describe('a logout of all sessions', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('ends every session of the subject that started until then, and no other', async () => {
    const [one, two, other] = [await scene.issue(), await scene.issue(), await scene.issue('bob')];
    await scene.logout(one.accessToken, '', true);
    expect(await scene.verdict(one.accessToken)).to.equal('REVOKED not-before');
    expect(await failure(scene.refresh(two.refreshToken))).to.equal('REVOKED');
    expect(await scene.verdict(other.accessToken)).to.equal('active');
    expect(scene.takeEvents()).to.include('subject_ended');
  });

  it('leaves a login after it active, and ends that by the next, all in one millisecond', async () => {
    for (let n = 0; n < 5; n++) {
      const pair = await scene.issue();
      expect(await scene.verdict(pair.accessToken)).to.equal('active');
      await scene.logout('', pair.refreshToken, true);
      expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED not-before');
    }
  });

  it('answers a retry, and ends nothing that has begun since', async () => {
    const pair = await scene.issue();
    await scene.logout(pair.accessToken, '', true);
    const later = await scene.issue();
    await scene.logout(pair.accessToken, '', true);
    expect(await scene.verdict(later.accessToken)).to.equal('active');
  });

  it('needs an active token', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    expect(await failure(scene.logout('', first.refreshToken, true))).to.equal('REUSED');
    await scene.logout(second.accessToken, '');
    expect(await failure(scene.logout(second.accessToken, '', true))).to.equal('REVOKED');
    const third = await scene.issue();
    scene.world.nowMs += POLICY.accessTtlMs;
    expect(await failure(scene.logout(third.accessToken, '', true))).to.equal('EXPIRED');
    await scene.logout(third.accessToken, third.refreshToken, true);
    expect(await failure(scene.refresh(third.refreshToken))).to.equal('REVOKED');
  });

  it('says that the store came back empty, to a token of a refreshed session too', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    scene.world.nowMs += SECOND;
    scene.world.flush();
    const refused = await scene.logout(second.accessToken, '', true).catch((error: unknown) => error);
    expect(refused).to.include({ problem: 'REVOKED', why: 'birth' });
  });

  it('takes a retry by two tokens of which one was superseded meanwhile', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    await scene.revokeSubject('alice');
    await scene.logout(second.accessToken, first.refreshToken, true);
  });

  it('ends the session that asks, also where its start lies ahead of the clock', async () => {
    scene.world.nowMs += MINUTE;
    const pair = await scene.issue();
    scene.world.nowMs -= 30 * SECOND;
    await scene.logout('', pair.refreshToken, true);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED not-before');
  });

  it('is not moved ahead by a token that is not active', async () => {
    const { accessToken } = await scene.issue();
    const time = (scene.world.nowMs + DAY).toString(16).padStart(12, '0');
    const sid = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
    const ahead = altered(accessToken, { sid, jti: `a${sid}.0`, nbf: scene.world.nowMs });
    const { refreshToken } = await scene.issue();
    await scene.logout(ahead, refreshToken, true);
    const later = await scene.issue();
    expect(sessionStartMs(later.sessionId)).to.be.lessThan(scene.world.nowMs + MINUTE);
  });

  it('refuses tokens of different subjects', async () => {
    const [one, other] = [await scene.issue(), await scene.issue('bob')];
    expect(await failure(scene.logout(one.accessToken, other.refreshToken, true))).to.equal('CONFLICT all_sessions');
    expect(await scene.verdict(one.accessToken)).to.equal('active');
  });
});

describe("the login back end's word that a subject's sessions end", () => {
  it('reaches the session that another node has just begun, in the very millisecond of the birth', async () => {
    const scene = new Scene();
    const [one, other] = [scene.context, scene.node()];
    const pair = await scene.issue();
    scene.context = other;
    await scene.revokeSubject('alice');
    scene.context = one;
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED not-before');
  });

  it('moves the cut-off forward only, and is kept for SESSION_MAX and an hour', async () => {
    const scene = new Scene({ adopts: false });
    const key: StoreKey = { kind: 'not-before', subject: 'alice' };
    const stamp = (): number => Number(scene.world.get(key)?.split(' ')[1]);
    await scene.revokeSubject('alice');
    const first = stamp();
    await scene.revokeSubject('alice');
    expect(stamp()).to.be.greaterThan(first);
    scene.world.nowMs -= MINUTE;
    await scene.revokeSubject('alice');
    expect(stamp()).to.be.greaterThan(first + 1);
    const aheadMs = stamp() - scene.world.nowMs;
    expect(aheadMs).to.be.greaterThan(0);
    expect(scene.world.lifetimeMs(key)).to.be.at.least(aheadMs + POLICY.sessionMaxMs + 60 * MINUTE);
  });

  it('ends what has just begun, though the clock of the store is set back in between', async () => {
    const scene = new Scene();
    await scene.issue();
    // Past the birth of the store, which would deny both.
    scene.world.nowMs += 2 * MINUTE;
    const [one, two] = [await scene.issue(), await scene.issue()];
    scene.world.nowMs -= MINUTE;
    await scene.revokeSubject('alice');
    expect(await scene.verdict(one.accessToken)).to.equal('REVOKED not-before');
    expect(await scene.verdict(two.accessToken)).to.equal('REVOKED not-before');
    expect(await scene.verdict((await scene.issue()).accessToken)).to.equal('active');
  });

  it('must name a subject', async () => {
    const scene = new Scene();
    expect(await failure(scene.revokeSubject(''))).to.equal('REQUIRED subject');
    expect(await failure(scene.revokeSubject('x'.repeat(256)))).to.equal('INVALID subject');
  });
});
