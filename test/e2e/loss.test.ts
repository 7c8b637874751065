// Tests that a store that has forgotten everything revives nothing, and that life goes on.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { failureOfCall } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { entriesIn } from './entries.js';
import { type RunningNode, Stage } from './stage.js';

describe('a Redis that lost everything', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let node: RunningNode;
  let earlier: Readonly<Record<'fresh' | 'refreshed' | 'ended', TokenPair>>;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serveHere(redis);
  });
  after(() => stage.clear());
  beforeEach(async () => {
    const { client } = node;
    const fresh = await client.issue('fresh');
    const refreshed = await client.refresh((await client.issue('refreshed')).refreshToken);
    const ended = await client.issue('ended');
    await client.logout({ refreshToken: ended.refreshToken });
    earlier = { fresh, refreshed, ended };
  });

  async function expectNewStart({ client }: RunningNode): Promise<void> {
    const login = await client.issue('fresh');
    for (const { accessToken, refreshToken } of Object.values(earlier)) {
      expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
      // There is nothing left to end: that is a logout done.
      await client.logout({ refreshToken });
    }
    expect(await client.verdict(login.accessToken)).to.equal('active');
    const next = await client.refresh(login.refreshToken);
    await client.logout({ accessToken: next.accessToken });
    expect(await client.verdict(next.accessToken)).to.equal('REVOKED');
  }

  it('while the service runs, ends the sessions from before; new logins work at once', async () => {
    await redis.raw.flushall();
    // A login is first to come by: it writes the births, and must not be older than they are.
    await expectNewStart(node);
    expect((await entriesIn(redis)).births).to.have.length(64);
  });

  it('while the service runs, revives no session, whichever comes first', async () => {
    await redis.raw.flushall();
    const { client } = node;
    const tokens = Object.values(earlier);
    const verdicts = await Promise.all([...tokens, ...tokens].map(({ accessToken }) => client.verdict(accessToken)));
    expect(new Set(verdicts)).to.deep.equal(new Set(['REVOKED']));
    await expectNewStart(node);
  });

  it('by a restart without its data while the service runs, ends the sessions from before', async () => {
    await redis.restart();
    await until(async () => (await node.client.health()) === 'SERVING', 30_000);
    await expectNewStart(node);
  });

  it('while everything was down, ends the sessions from before', async () => {
    await node.process.kill();
    await redis.restart();
    node = await stage.serveHere(redis);
    await expectNewStart(node);
  });
});
