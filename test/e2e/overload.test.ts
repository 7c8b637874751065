// Owns the proof that a service under more load than it can serve refuses some calls and keeps its word for all others.

import { expect } from 'chai';
import { LoadProcess } from '../../bench/load/load-process.js';
import { validations } from '../../bench/load/validations.js';
import type { CallFailed } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { type ServiceNode, Stage } from './stage.js';

const CONNECTIONS = 8;
/** Always under way, whatever has been answered or refused: more than a burst, so too many for any machine. */
const AT_ONCE = 600;
const OVERLOAD_MS = 2_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('a service under more load than it can serve', function () {
  this.timeout(30_000);
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  let load: LoadProcess;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serve(redis, {});
    const pairs = await Promise.all(numbers(50).map((n) => node.client.issue(`user-${n}`)));
    const [host = '', port] = node.process.address.split(':');
    const tokens = pairs.map(({ accessToken }) => accessToken);
    load = await LoadProcess.start({ host, port: Number(port), connections: CONNECTIONS, seed: 1 });
    await load.take(validations(tokens));
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

    // The limit's calm.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
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
