// Tests of the metrics of a real service and gateway on a real Redis: what each event counts, and what no label holds.

import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import { type Browser, pairIn } from '../e2e/browser.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { expired } from '../e2e/tokens.js';
import { failureOfCall } from '../support/auth-client.js';
import { ISSUER_TOKEN, type Started } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { type Labels, SEEN, scrape } from './scrape.js';

const GRACE = { REFRESH_GRACE: '60s', ACCESS_TTL: '5m' };

describe('metrics', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  let strict: ServiceNode;
  let browser: Browser;

  before(async () => {
    redis = await stage.redis();
    const folder = join(await stage.folder(), 'keys');
    generateKey(folder, 'one');
    const keys = { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: '0s' };
    node = await stage.serve(redis, { ...SEEN, ...GRACE, ...keys });
    strict = await stage.serve(redis, { ...SEEN, ...keys, REFRESH_GRACE: '0s' });
    browser = await stage.gateway(node, { METRICS_ADDRESS: '127.0.0.1:0' });
  });
  after(() => stage.clear());

  /** By how much a series grows while something happens. */
  async function growth(of: Started, series: readonly [string, Labels], act: () => Promise<unknown>): Promise<number> {
    const before = (await scrape(of)).value(...series) ?? 0;
    await act();
    return ((await scrape(of)).value(...series) ?? 0) - before;
  }
  const refreshes = (outcome: string) => ['latchkey_refreshes_total', { outcome }] as const;
  const sessionKeyOf = async (sessionId: string): Promise<string> =>
    (await redis.raw.keys(`lk:1:*:s:${sessionId}`))[0] ?? '';

  it('count each outcome of a refresh', async () => {
    const { client } = node;
    const first = await client.issue();
    let next = first;
    expect(
      await growth(node.process, refreshes('rotated'), async () => {
        next = await client.refresh(first.refreshToken);
      }),
    ).to.equal(1);
    expect(await growth(node.process, refreshes('replayed'), () => client.refresh(first.refreshToken))).to.equal(1);
    await client.refresh(next.refreshToken);
    const again = () => failureOfCall(client.refresh(first.refreshToken));
    expect(await growth(node.process, refreshes('duplicate'), again)).to.equal(1);
    const late = () => failureOfCall(strict.client.refresh(first.refreshToken));
    expect(await growth(strict.process, refreshes('reused'), late)).to.equal(1);
    const bad = () => failureOfCall(client.refresh(expired('refresh', first.sessionId)));
    expect(await growth(node.process, refreshes('refused'), bad)).to.equal(1);
  });

  it('count the outcomes of a store that has lost entries', async () => {
    const { client } = node;
    const first = await client.issue();
    const next = await client.refresh(first.refreshToken);
    const older = await redis.raw.get(await sessionKeyOf(first.sessionId));
    const newest = await client.refresh(next.refreshToken);
    const key = await sessionKeyOf(first.sessionId);
    await redis.raw.set(key, older ?? '', 'KEEPTTL');
    // By the other node, whose ledger does not hold what was lost.
    expect(
      await growth(strict.process, refreshes('healed'), () => strict.client.refresh(newest.refreshToken)),
    ).to.equal(1);
    const other = await client.refresh((await client.issue()).refreshToken);
    await redis.raw.del(await sessionKeyOf(other.sessionId));
    const lost = () => failureOfCall(strict.client.refresh(other.refreshToken));
    expect(await growth(strict.process, refreshes('lost'), lost)).to.equal(1);
    const ends = (await scrape(strict.process)).value('latchkey_sessions_ended_total', { cause: 'lost' });
    expect(ends).to.equal(1);
  });

  it('count validations by their results, each token of a batch by itself', async () => {
    const { client } = node;
    const result = (of: string) => ['latchkey_validations_total', { result: of }] as const;
    const [good, ended] = [await client.issue(), await client.issue()];
    await client.logout({ refreshToken: ended.refreshToken });
    expect(await growth(node.process, result('active'), () => client.verdict(good.accessToken))).to.equal(1);
    expect(await growth(node.process, result('revoked'), () => client.verdict(ended.accessToken))).to.equal(1);
    expect(await growth(node.process, result('malformed'), () => client.verdict('x'))).to.equal(1);
    const batch = () => client.validateMany([good.accessToken, ended.accessToken, good.accessToken]);
    expect(await growth(node.process, result('active'), batch)).to.equal(2);
    expect(await growth(node.process, result('active'), () => client.introspect(good.refreshToken))).to.equal(1);
    expect(await growth(node.process, result('revoked'), () => client.introspect(ended.refreshToken))).to.equal(1);
    const hits = ['latchkey_verified_tokens_hits_total', {}] as const;
    expect(await growth(node.process, hits, () => client.verdict(good.accessToken))).to.equal(1);
  });

  it('count the ends of sessions by cause', async () => {
    const { client } = node;
    const cause = (of: string) => ['latchkey_sessions_ended_total', { cause: of }] as const;
    const login = await client.issue('bob');
    const logout = () => client.logout({ refreshToken: login.refreshToken });
    expect(await growth(node.process, cause('logout'), logout)).to.equal(1);
    expect(await growth(node.process, cause('logout'), logout), 'the same again').to.equal(0);
    expect(await growth(node.process, cause('all_sessions'), () => client.revokeSubject('bob'))).to.equal(1);
  });

  it('measure calls, requests, the store, and the age of the key', async () => {
    const ok = ['latchkey_rpc_duration_seconds_count', { method: 'RefreshToken', code: 'OK' }] as const;
    const route = [
      'latchkey_http_duration_seconds_count',
      { route: '/api/auth/token/refresh', status: '200' },
    ] as const;
    const writes = ['latchkey_store_operation_duration_seconds_count', { operation: 'write' }] as const;
    const { refreshToken } = await node.client.issue();
    let pair = { refresh: refreshToken };
    const ask = async (): Promise<void> => {
      pair = pairIn(await browser.refresh(pair.refresh));
    };
    expect(await growth(node.process, ok, ask)).to.equal(1);
    expect(await growth(node.process, writes, ask)).to.equal(1);
    const before = (await scrape(browser.process)).value(...route) ?? 0;
    await ask();
    // The duration ends when the client has the whole response, and a scrape may be faster than that.
    await until(async () => (await scrape(browser.process)).value(...route) === before + 1);
    const metrics = await scrape(node.process);
    expect(metrics.value('latchkey_signing_key_age_seconds')).to.be.within(0, 600);
    expect(metrics.value('latchkey_store_reachable')).to.equal(1);
    expect(metrics.value('latchkey_build_info')).to.equal(1);
    expect(metrics.value('latchkey_event_loop_delay_seconds_count')).to.be.above(0);
    expect(metrics.value('process_cpu_seconds_total')).to.be.above(0);
    expect(metrics.value('nodejs_heap_size_used_bytes')).to.be.above(0);
  });

  it('hold no subject, session or token, and have no more series after any number of requests', async () => {
    const client = new AuthServiceClient(node.process.address, credentials.createInsecure());
    const secrets = [ISSUER_TOKEN];
    const noise = async (round: number): Promise<void> => {
      const { accessToken, refreshToken, sessionId } = await node.client.issue(`subject-${round}`);
      secrets.push(accessToken, refreshToken, sessionId, `subject-${round}`);
      await browser.refresh(refreshToken);
      await browser.ask(`/no/such/${round}?token=${refreshToken}`, { method: round % 2 ? 'GET' : 'DELETE' });
      await new Promise<void>((resolve) => {
        const call = client.makeUnaryRequest(
          `/auth.v1.AuthService/Method${round}`,
          () => Buffer.alloc(0),
          () => ({}),
          {},
          new Metadata(),
          () => resolve(),
        );
        call.on('error', () => {});
      });
    };
    await noise(0);
    const counts = async () => [
      (await scrape(node.process)).series.length,
      (await scrape(browser.process)).series.length,
    ];
    await until(async () => (await scrape(browser.process)).text.includes('route="unknown"'));
    // Both methods of the unknown path have been asked by then.
    await noise(1);
    const before = await counts();
    for (let round = 2; round < 20; round++) await noise(round);
    expect(await counts()).to.deep.equal(before);
    const texts = `${(await scrape(node.process)).text}${(await scrape(browser.process)).text}`;
    expect(secrets.filter((secret) => texts.includes(secret))).to.deep.equal([]);
    client.close();
  });

  it('come as OpenMetrics where the scraper prefers that, with the same series', async () => {
    const open = await scrape(
      node.process,
      'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
    );
    expect(open.contentType).to.equal('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.text)
      .to.match(/\n# EOF\n$/)
      .and.to.include('# TYPE latchkey_calls_shed counter\nlatchkey_calls_shed_total ');
    const plain = await scrape(node.process, '*/*');
    expect(plain.contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(plain.text).to.include('# TYPE latchkey_calls_shed_total counter\nlatchkey_calls_shed_total ');
    // Node's own come and go with what it has under way.
    const ours = (names: readonly string[]) => names.filter((name) => name.startsWith('latchkey_'));
    expect(ours(open.names)).to.deep.equal(ours(plain.names)).and.to.have.length.above(10);
  });
});
