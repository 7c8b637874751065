// Tests of `latchkey store check` for Sentinels and clusters: what of them is unsafe is said, with what mends it.

import { expect } from 'chai';
import { clusterResults } from '../../src/store-check/redis/cluster-rules.js';
import { sentinelResults } from '../../src/store-check/redis/sentinel-rules.js';
import { Stage } from '../e2e/stage.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import { SentinelWorld } from '../support/redis-sentinel.js';
import { checkStore } from '../support/store-check.js';

const check = (url: string) => checkStore({ REDIS_URL: url });

describe('latchkey store check, where there are replicas', function () {
  this.timeout(120_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('looks at the Sentinels, the primary that they name, and its replicas', async () => {
    const world = await SentinelWorld.start();
    stage.owns(() => world.stop());
    const { code, stdout } = await check(world.url);
    expect(stdout).to.match(/^good +3 of 3 Sentinels name one primary, 127\.0\.0\.1:\d+/m);
    expect(stdout).to.match(/^good +A primary counts as down after 1500 ms/m);
    expect(stdout).to.match(/^good +The primary 127\.0\.0\.1:\d+: It evicts nothing/m);
    expect(stdout).to.match(/^warning +Each replica: Redis keeps nothing on disk/m);
    expect(code).to.equal(0);
    const [replica] = world.servers.slice(1);
    await replica?.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await world.sentinels[0]?.kill();
    const worse = await check(world.url);
    expect(worse.stdout).to.match(/^UNSAFE +Replica 127\.0\.0\.1:\d+: the maxmemory-policy of Redis is allkeys-lru/m);
    expect(worse.stdout).to.match(/^warning +These Sentinels do not answer: 127\.0\.0\.1:\d+ \(.*ECONNREFUSED/m);
    expect(worse.code).to.equal(1);
    await world.sentinels[1]?.kill();
    expect((await check(world.url)).stdout).to.match(/^UNSAFE +1 of 3 Sentinels answer: .* the votes of 2/m);
    const other = await check(world.url.replace('/main', '/other'));
    expect(other.stdout).to.include('it does not monitor the name in REDIS_URL');
  });

  it('looks at a cluster as a whole, and at each of its primaries', async () => {
    const world = await ClusterWorld.start({ replicas: 0, settings: ['cluster-require-full-coverage yes'] });
    stage.owns(() => world.stop());
    const { code, stdout } = await check(world.url);
    expect(stdout).to.match(/^good +All nodes of the cluster agree on the owners of our 64 slots/m);
    expect(stdout).to.match(/^warning +Primaries without a replica: 127\.0\.0\.1:\d+, /m);
    expect(stdout).to.match(/^warning +Cluster-require-full-coverage is yes/m);
    expect(stdout).to.match(/^good +Each primary: It evicts nothing/m);
    expect(stdout).to.match(/^good +Each primary: It accepts our reads and writes/m);
    expect(code).to.equal(0);
    await world.servers[1]?.kill();
    expect((await check(world.url)).stdout).to.match(/^warning +These nodes of the cluster do not answer/m);
    await world.servers[2]?.kill();
    const worse = await check(world.url);
    expect(worse.stdout).to.match(/^UNSAFE +1 of 3 nodes of the cluster answer/m);
    expect(worse.code).to.equal(1);
  });

  it('says of a server that is no node of a cluster how it must be named', async () => {
    const redis = await stage.redis();
    const { code, stdout } = await check(redis.url.replace('redis:', 'redis+cluster:'));
    expect(stdout).to.include('it is no node of a cluster');
    expect(code).to.equal(1);
  });
});

describe('the judgement on Sentinels', () => {
  const place = { host: '10.0.0.9', port: 6379 };
  const answer = {
    primary: place,
    replicas: [place] as readonly (typeof place)[],
    all: 3,
    quorum: 2,
    downAfterMs: 5_000,
  };
  const facts = (change: Partial<typeof answer>, count = 3) =>
    ['a', 'b', 'c', 'd'].slice(0, count).map((name) => ({ name, why: '', answer: { ...answer, ...change } }));
  const weights = (...args: Parameters<typeof facts>): string[] =>
    sentinelResults(facts(...args)).flatMap(({ severity, message }) =>
      severity === 'good' ? [] : [`${severity} ${message}`],
    );

  it('finds nothing amiss with three that have a quorum of two', () => expect(weights({})).to.deep.equal([]));

  for (const [what, change, count, wanted] of [
    ['fewer than three', { all: 2 }, 2, /^warning There are 2 Sentinels/],
    ['a URL that names too few', { all: 3 }, 1, /^unsafe 1 of 3 Sentinels answer/],
    ['a URL that does not name all', { all: 4, quorum: 3 }, 3, /^warning REDIS_URL names 3 of 4/],
    ['a quorum that cannot be reached', { quorum: 4 }, 3, /^unsafe The quorum is 4 of 3/],
    ['a quorum of less than half', { quorum: 1 }, 3, /^warning The quorum is 1 of 3/],
    [
      'a down-after-milliseconds below what the service waits',
      { downAfterMs: 500 },
      3,
      /^warning down-after-milliseconds is 500/,
    ],
    [
      'a down-after-milliseconds of half a minute',
      { downAfterMs: 30_000 },
      3,
      /^warning down-after-milliseconds is 30000/,
    ],
    ['a primary without replicas', { replicas: [] }, 3, /^warning The primary has no replica/],
  ] as const) {
    it(`warns of ${what}`, () => expect(weights(change, count).some((each) => wanted.test(each))).to.equal(true));
  }

  it('calls it unsafe that they name different primaries', () => {
    const [first, ...others] = facts({});
    const odd = { name: 'a', why: '', answer: { ...answer, primary: { host: '10.0.0.8', port: 6379 } } };
    expect(sentinelResults([odd, ...others]).some(({ severity }) => severity === 'unsafe')).to.equal(true);
    expect(first).to.not.equal(undefined);
  });
});

describe('the judgement on a cluster', () => {
  const node = (id: string, follows?: string) =>
    ({ id, address: { host: id, port: 1 }, role: follows === undefined ? 'primary' : 'replica', follows }) as const;
  const nodes = [node('a'), node('b'), node('c'), node('d', 'a'), node('e', 'b'), node('f', 'c')];
  const owners = Array.from({ length: 64 }, (_, shard) => ['a', 'b', 'c'][shard % 3]);
  const settings = (coverage = 'no', timeout = '5000') =>
    new Map([
      ['cluster-require-full-coverage', coverage],
      ['cluster-node-timeout', timeout],
    ]);
  const viewOf = (self: string, who: readonly ReturnType<typeof node>[], has: readonly (string | undefined)[]) => ({
    self,
    nodes: who,
    owners: has.map((server) => (server === undefined ? undefined : { server, epoch: 1 })),
    destinations: new Map<number, string>(),
  });
  const judged = (has = owners, of = settings(), who: readonly ReturnType<typeof node>[] = nodes): string[] =>
    clusterResults(who.map(({ id }) => ({ name: id, why: '', view: viewOf(id, who, has), settings: of })))
      .filter(({ severity }) => severity !== 'good')
      .map(({ severity, message }) => `${severity} ${message}`);

  it('finds nothing amiss with three primaries and a replica of each', () => expect(judged()).to.deep.equal([]));

  it('says what is not covered, has no replica, waits for all or for too long', () => {
    expect(judged(owners.map((owner) => (owner === 'a' ? undefined : owner)))[0]).to.match(
      /^unsafe 22 of our 64 slots/,
    );
    expect(judged(owners, settings(), nodes.slice(0, 5))[0]).to.match(/^warning Primaries without a replica: c:1/);
    expect(judged(owners, settings('yes'))[0]).to.match(/^warning cluster-require-full-coverage is yes/);
    expect(judged(owners, settings('no', '15000'))[0]).to.match(/^warning cluster-node-timeout is 15000 ms/);
    expect(judged(owners, settings('no', '200'))[0]).to.match(/^warning cluster-node-timeout is 200 ms/);
    expect(judged(owners, new Map())[0]).to.match(/^unknown /);
  });
});
