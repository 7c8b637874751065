// Tests that a deleted or unreadable entry makes no ended session active and affects no other session.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { failureOfCall } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { keyOf } from './entries.js';
import { type RunningNode, Stage } from './stage.js';

describe('an entry in Redis that was changed by hand', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let node: RunningNode;
  let first: TokenPair;
  let mine: TokenPair;
  let others: TokenPair[];
  before(async () => {
    redis = await stage.redis();
    node = await stage.serveHere(redis);
  });
  after(() => stage.clear());
  beforeEach(async () => {
    const { client } = node;
    await redis.raw.flushall();
    first = await client.issue('mine');
    mine = await client.refresh(first.refreshToken);
    // Of the same subject, and so of the same shard, and of others.
    others = await Promise.all(
      ['mine', 'yours', 'theirs'].map(async (name) => client.refresh((await client.issue(name)).refreshToken)),
    );
  });

  /** Asked at once, so that good and bad go to Redis in one command. */
  async function verdicts(tokens: readonly TokenPair[]): Promise<string[]> {
    const asked = tokens.map(({ accessToken }) =>
      node.client.verdict(accessToken).catch((error) => error.failure.code),
    );
    return Promise.all(asked);
  }

  async function expectOthersUnharmed(mineIs: string): Promise<void> {
    expect(await verdicts([mine, ...others, mine])).to.deep.equal([mineIs, 'active', 'active', 'active', mineIs]);
    await Promise.all(others.map(({ refreshToken }) => node.client.refresh(refreshToken)));
  }

  it('and deleted: its tokens are denied for good, all other sessions go on', async () => {
    await redis.raw.del(await keyOf(redis, mine.sessionId));
    await expectOthersUnharmed('REVOKED');
    const { client } = node;
    expect((await failureOfCall(client.refresh(mine.refreshToken))).reason).to.equal('REVOKED');
    expect(await redis.raw.get(await keyOf(redis, mine.sessionId))).to.match(/^1 \d+ ended lost$/);
    // Written down, so that an older token starts no second chain either.
    for (const { accessToken, refreshToken } of [first, mine]) {
      expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
    }
  });

  const tampering: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    'overwritten with garbage': (key) => redis.raw.set(key, 'garbage'),
    'overwritten with nothing': (key) => redis.raw.set(key, ''),
    'written by a later version': (key) => redis.raw.set(key, '2 1700000000000 live 1 1 1 1 kid'),
    'turned into a hash': (key) => redis.raw.multi().del(key).hset(key, 'a', 'b').exec(),
    'turned into a list': (key) => redis.raw.multi().del(key).lpush(key, 'a').exec(),
  };

  async function expectCannotTell(pair: TokenPair): Promise<void> {
    const { client } = node;
    const { accessToken, refreshToken } = pair;
    for (const call of [client.validate(accessToken), client.refresh(refreshToken), client.logout({ refreshToken })]) {
      const { code, retryAfterS } = await failureOfCall(call);
      expect([code, retryAfterS]).to.deep.equal(['UNAVAILABLE', 1]);
    }
  }

  for (const [how, tamper] of Object.entries(tampering)) {
    it(`and ${how}: its session is unavailable, all other sessions go on`, async () => {
      await tamper(await keyOf(redis, mine.sessionId));
      await expectCannotTell(mine);
      await expectOthersUnharmed('UNAVAILABLE');
      expect(await node.client.health()).to.equal('SERVING');
    });

    it(`and ${how}, a subject's: its sessions are unavailable, all other sessions go on`, async () => {
      const { client } = node;
      await client.revokeSubject('cut');
      const pair = await client.issue('cut');
      const [key] = await redis.raw.keys('lk:1:*:u:*');
      if (key === undefined) throw new Error('the subject has no entry');
      await tamper(key);
      await expectCannotTell(pair);
      expect((await failureOfCall(client.issue('cut'))).code).to.equal('UNAVAILABLE');
      expect(await verdicts([mine, ...others, pair])).to.deep.equal([...Array(4).fill('active'), 'UNAVAILABLE']);
    });
  }
});
