// What a service refuses: nothing of an honest load, and some calls of more load than it can serve.

import { expect } from 'chai';
import { LoadProcess } from '../../bench/load/load-process.js';
import { validations } from '../../bench/load/validations.js';
import type { Work } from '../../bench/load/work.js';
import { IssueTokenRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import type { CallFailed } from '../support/auth-client.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { type ServiceNode, Stage } from './stage.js';

const CONNECTIONS = 8;
/** Always asked for, whatever has been answered or refused: more than may be under way. */
const AT_ONCE = 600;
/** As many as may be under way. */
const ALLOWED = 256;
const PAUSE_MS = 1_000;
/** A limit that loads reach which a busy machine can still make. */
const FEW = 16;
const OPEN_PER_S = 200;
/** Longer than calls may wait, by some: until then none is refused. */
const OVERLOAD_MS = 4_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function loadOn({ process: { address } }: ServiceNode, connections: number): Promise<LoadProcess> {
  const [host = '', port] = address.split(':');
  return LoadProcess.start({ host, port: Number(port), connections, seed: 1 });
}

/** Honest work of each kind. */
const WORKS: Readonly<Record<string, (pairs: readonly TokenPair[]) => Work>> = {
  ValidateToken: (pairs) => validations(pairs.map(({ accessToken }) => accessToken)),
  RefreshToken: (pairs) => ({
    kind: 'chained',
    route: { protocol: 'grpc', path: '/auth.v1.AuthService/RefreshToken', headers: {} },
    refreshTokens: pairs.map(({ refreshToken }) => refreshToken),
    answers: { kind: 'pairs' },
  }),
  IssueToken: () => ({
    kind: 'issuing',
    route: {
      protocol: 'grpc',
      path: '/auth.v1.IssuerService/IssueToken',
      headers: { authorization: `Bearer ${ISSUER_TOKEN}` },
    },
    messages: [IssueTokenRequest.encode({ subject: 'alice', claims: undefined, clientId: '', scope: '' }).finish()],
  }),
};

for (const store of ['Redis', 'the embedded store']) {
  describe(`a service on ${store} with as many calls under way as may be`, function () {
    this.timeout(120_000);
    const stage = new Stage();
    let redis: RedisServer | undefined;
    let node: ServiceNode;
    let pairs: TokenPair[];
    before(async () => {
      redis = store === 'Redis' ? await stage.redis() : undefined;
      node = await stage.serve(redis ?? (await stage.folder()), {});
      // More sessions than calls, because each call that refreshes has a session of its own.
      const all = numbers(ALLOWED + 50);
      pairs = await Promise.all(all.map((n) => node.client.issue(`user-${n}`)));
    });
    after(() => stage.clear());

    for (const connections of [1, 8, 64]) {
      it(`refuses none of them over ${connections} connections`, async () => {
        const load = await loadOn(node, connections);
        stage.owns(() => load.stop());
        for (const [name, workOf] of Object.entries(WORKS)) {
          // A refresh takes its session's last token: each load needs sessions of its own.
          if (name === 'RefreshToken') pairs = await Promise.all(pairs.map((_, n) => node.client.issue(`user-${n}`)));
          await load.take(workOf(pairs));
          const { counts } = await load.run({ kind: 'closed', atOnce: ALLOWED, warmMs: 0, countedMs: 250 });
          expect(counts, name).to.include({ refused: 0 });
          expect(counts.answered, name).to.be.greaterThan(0);
        }
      });
    }

    it('refuses none of them because of a pause of a second, of the process or of the store', async () => {
      const load = await loadOn(node, 8);
      stage.owns(() => load.stop());
      await load.take(validations(pairs.map(({ accessToken }) => accessToken)));
      const pauses = redis ? 2 : 1;
      const running = load.run({
        ...{ kind: 'closed', atOnce: ALLOWED, warmMs: 0 },
        countedMs: (pauses + 1) * PAUSE_MS,
      });
      await pause(PAUSE_MS / 4);
      node.process.child.kill('SIGSTOP');
      await pause(PAUSE_MS);
      node.process.child.kill('SIGCONT');
      if (redis) {
        await pause(PAUSE_MS / 4);
        redis.pause();
        await pause(PAUSE_MS);
        redis.resume();
      }
      const { counts } = await running;
      expect(counts.refused).to.equal(0);
      expect(counts.answered).to.be.greaterThan(ALLOWED);
    });
  });
}

describe('a service whose calls come at random, more of them in a second than may be under way', function () {
  this.timeout(120_000);
  const stage = new Stage();
  after(() => stage.clear());

  it('refuses none because of a pause of a second, of the process or of the store', async () => {
    const redis = await stage.redis();
    const node = await stage.serve(redis, { MAX_CONCURRENT_CALLS: `${FEW}` });
    const { accessToken } = await node.client.issue();
    const load = await loadOn(node, CONNECTIONS);
    stage.owns(() => load.stop());
    await load.take(validations([accessToken]));
    for (const [stop, goOn] of [
      [() => node.process.child.kill('SIGSTOP'), () => node.process.child.kill('SIGCONT')],
      [() => redis.pause(), () => redis.resume()],
    ] as const) {
      const running = load.run({ kind: 'open', callsPerS: OPEN_PER_S, warmMs: 0, countedMs: 3 * PAUSE_MS });
      await pause(PAUSE_MS / 2);
      stop();
      await pause(PAUSE_MS);
      goOn();
      const { counts } = await running;
      expect(counts.refused).to.equal(0);
      expect(counts.answered).to.be.greaterThan(OPEN_PER_S);
    }
  });
});

describe('a service under more load than it can serve', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  let load: LoadProcess;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serve(redis, { MAX_CONCURRENT_CALLS: `${FEW}` });
    const pairs = await Promise.all(numbers(50).map((n) => node.client.issue(`user-${n}`)));
    load = await loadOn(node, CONNECTIONS);
    await load.take(validations(pairs.map(({ accessToken }) => accessToken)));
  });
  after(async () => {
    await load.stop();
    await stage.clear();
  });

  it('refuses some calls, answers all that it takes, and rightly, says SERVING, and serves everybody after it', async () => {
    const { client } = node;
    const leaving = await Promise.all(numbers(50).map((n) => client.issue(`leaving-${n}`)));
    const running = load.run({ kind: 'closed', atOnce: AT_ONCE, warmMs: 0, countedMs: OVERLOAD_MS });
    const states = new Set<string>();
    const logouts = new Map<string, string>();
    const untilMs = performance.now() + OVERLOAD_MS;
    for (const { accessToken, refreshToken } of leaving) {
      if (performance.now() > untilMs) break;
      states.add(await client.health('auth.v1.AuthService'));
      const answer = await client.logout({ refreshToken }).then(
        () => 'OK',
        ({ failure }: CallFailed) => `${failure.code}, again in ${failure.retryAfterS} s`,
      );
      logouts.set(accessToken, answer);
    }
    const { counts } = await running;
    expect(counts.refused).to.be.greaterThan(0);
    expect(counts.answered).to.be.greaterThan(0);
    expect(counts.failed).to.equal(0);
    expect(states).to.deep.equal(new Set(['SERVING']));

    for (const [token, answer] of logouts) {
      const verdict = await client.verdict(token);
      expect([answer, verdict]).to.be.deep.oneOf([
        ['OK', 'REVOKED'],
        ['RESOURCE_EXHAUSTED, again in 1 s', 'active'],
      ]);
    }
    const pairs: string[] = [];
    for (const n of numbers(100)) pairs.push((await client.issue(`after-${n}`)).refreshToken);
    expect(await Promise.all(pairs.map((token) => client.refresh(token)))).to.have.length(100);

    await node.process.stop();
    const lines = node.process.lines().filter(({ msg }) => /overload/.test(`${msg}`));
    expect(lines.length).to.be.within(2, 6);
    const refusedLogouts = [...logouts.values()].filter((answer) => answer !== 'OK').length;
    expect(lines.at(-1)).to.include({ level: 'info', refusedInAll: counts.refused + refusedLogouts });
  });
});
