// Tests that the denylist stays small: nothing for a login, one entry a session, and each ends by itself.

import { expect } from 'chai';
import type { RedisServer } from '../support/redis-server.js';
import { entriesIn } from './entries.js';
import { type RunningNode, Stage } from './stage.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the size of the denylist', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;
  let node: RunningNode;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serveHere(redis);
  });
  after(() => stage.clear());
  beforeEach(async () => {
    await redis.raw.flushall();
    // The first to come by writes the births.
    await node.client.issue();
  });

  it('does not grow with logins, nor with validations', async () => {
    const before = await entriesIn(redis);
    const writes = await redis.calls('set');
    for (let n = 0; n < 20; n++) {
      const { accessToken } = await node.client.issue(`user-${n}`);
      expect(await node.client.verdict(accessToken)).to.equal('active');
    }
    expect(await redis.calls('set')).to.equal(writes);
    expect(await entriesIn(redis)).to.deep.equal(before);
    expect(await redis.raw.dbsize()).to.equal(before.births.length);
  });

  it('is one entry with a lifetime after 1,000 refreshes of one session', async () => {
    let { refreshToken, sessionId } = await node.client.issue();
    for (let n = 0; n < 1_000; n++) ({ refreshToken } = await node.client.refresh(refreshToken));
    const { sessions, subjects } = await entriesIn(redis);
    expect(subjects).to.deep.equal([]);
    expect(sessions).to.have.length(1);
    expect(sessions[0]?.key).to.match(new RegExp(`:s:${sessionId}$`));
    expect(sessions[0]?.text).to.match(/^1 \d+ live 1000 /);
    // Until the last token that it speaks of has ended, and an hour.
    expect(sessions[0]?.leftMs).to.be.closeTo(7 * DAY_MS + HOUR_MS, 10_000);
  });

  it('ends by itself: every entry of a session or a subject has a lifetime, and only births have none', async () => {
    const [live, ended, everywhere] = await Promise.all(
      ['live', 'ended', 'everywhere'].map((subject) => node.client.issue(subject)),
    );
    if (!live || !ended || !everywhere) throw new Error('no tokens');
    await node.client.refresh(live.refreshToken);
    await node.client.logout({ refreshToken: ended.refreshToken });
    await node.client.logout({ refreshToken: everywhere.refreshToken, allSessions: true });
    await node.client.revokeSubject('revoked');
    const { sessions, subjects, births } = await entriesIn(redis);
    const left = (sessionId: string) => sessions.find(({ key }) => key.endsWith(sessionId))?.leftMs;
    expect(sessions).to.have.length(2);
    expect(left(live.sessionId)).to.be.closeTo(7 * DAY_MS + HOUR_MS, 10_000);
    expect(left(ended.sessionId)).to.be.closeTo(30 * DAY_MS + HOUR_MS, 10_000);
    expect(subjects).to.have.length(2);
    for (const { leftMs } of subjects) expect(leftMs).to.be.closeTo(30 * DAY_MS + HOUR_MS, 10_000);
    expect(births).to.have.length(64);
    for (const { leftMs } of births) expect(leftMs).to.equal(-1);
    // A log for each shard that was written to, which removes its entries by itself.
    const logs = await redis.raw.keys('lk:1:*:log');
    expect(logs).to.have.length.within(1, 4);
    expect(await redis.raw.dbsize()).to.equal(68 + logs.length);
  });
});
