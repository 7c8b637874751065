// Tests that an acknowledged logout outlives any crash, of the service and of its store.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { failureOfCall } from '../support/auth-client.js';
import { until } from '../support/waiting.js';
import { type RunningNode, Stage, type StoreAt } from './stage.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

describe('a crash right after an acknowledged logout', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  interface Before {
    readonly out: TokenPair;
    readonly everywhere: TokenPair;
    readonly cutOff: TokenPair;
    readonly standing: TokenPair;
  }

  /** Two sessions are refreshed, so that their entries are of both kinds; the logouts come last. */
  async function prepare({ client }: RunningNode): Promise<Before> {
    const standing = await client.refresh((await client.issue('standing')).refreshToken);
    const everywhere = await client.issue('everywhere');
    const cutOff = await client.issue('cut off');
    const out = await client.refresh((await client.issue('out')).refreshToken);
    await client.revokeSubject('cut off');
    await client.logout({ accessToken: everywhere.accessToken, allSessions: true });
    await client.logout({ refreshToken: out.refreshToken });
    return { out, everywhere, cutOff, standing };
  }

  async function expectKept({ client, process }: RunningNode, { standing, ...over }: Before): Promise<void> {
    for (const { accessToken, refreshToken } of Object.values(over)) {
      expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
    }
    expect(await client.verdict(standing.accessToken), process.output()).to.equal('active');
    await client.refresh(standing.refreshToken);
  }

  const stores: Readonly<Record<string, () => Promise<StoreAt>>> = {
    'the embedded store': () => stage.folder(),
    Redis: () => stage.redis(...DURABLE),
  };
  for (const [name, open] of Object.entries(stores)) {
    it(`of the service on ${name} revives nothing, and ends nothing else`, async () => {
      const store = await open();
      const node = await stage.serve(store);
      const before = await prepare(node);
      await node.process.kill();
      await expectKept(await stage.serveHere(store, { LOG_LEVEL: 'debug' }), before);
    });
  }

  it('of the service on the embedded store loses none of many logouts at once', async () => {
    const folder = await stage.folder();
    const node = await stage.serve(folder);
    const pairs = await Promise.all(Array.from({ length: 200 }, (_, n) => node.client.issue(`user-${n}`)));
    const acknowledged: TokenPair[] = [];
    const logouts = pairs.map((pair) =>
      node.client.logout({ refreshToken: pair.refreshToken }).then(
        () => acknowledged.push(pair),
        () => undefined,
      ),
    );
    await until(() => acknowledged.length > 20, 30_000);
    await node.process.kill();
    const counted = [...acknowledged];
    await Promise.all(logouts);
    const { client } = await stage.serveHere(folder);
    const verdicts = await Promise.all(counted.map(({ accessToken }) => client.verdict(accessToken)));
    expect(new Set(verdicts)).to.deep.equal(new Set(['REVOKED']));
  });

  it('of Redis itself, with appendfsync always, revives nothing and ends nothing else', async () => {
    const redis = await stage.redis(...DURABLE);
    const node = await stage.serveHere(redis);
    const before = await prepare(node);
    await redis.kill();
    await redis.restart();
    await until(async () => (await node.client.health()) === 'SERVING', 30_000);
    await expectKept(node, before);
  });

  it('of both at once revives nothing and ends nothing else', async () => {
    const redis = await stage.redis(...DURABLE);
    const node = await stage.serve(redis);
    const before = await prepare(node);
    await Promise.all([redis.kill(), node.process.kill()]);
    await redis.restart();
    await expectKept(await stage.serveHere(redis, { LOG_LEVEL: 'debug' }), before);
  });
});
