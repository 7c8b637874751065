// What a service refuses under more load than it can serve, and that it answers all else.

import { expect } from 'chai';
import type { LoadProcess } from '../../bench/load/load-process.js';
import { validations } from '../../bench/load/validations.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import type { CallFailed } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { loadOn, numbers } from './load.js';
import { type ServiceNode, Stage } from './stage.js';

const CONNECTIONS = 8;
/** Always asked for, whatever has been answered or refused: more than may be under way. */
const AT_ONCE = 600;
/** As many as may be under way. */
const FEW = 16;
/** Longer than calls may wait, by some: until then none is refused. */
const OVERLOAD_MS = 4_000;

describe('a service under more load than it can serve', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  let load: LoadProcess;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serve(redis, { MAX_CONCURRENT_CALLS: `${FEW}` });
    const pairs = await loginsOf('user');
    load = await loadOn(node, CONNECTIONS);
    stage.owns(() => load.stop());
    await load.take(validations(pairs.map(({ accessToken }) => accessToken)));
  });
  after(() => stage.clear());

  /** One after the other: more at once would be refused on a slow machine. */
  async function loginsOf(name: string): Promise<TokenPair[]> {
    const pairs: TokenPair[] = [];
    for (const n of numbers(50)) pairs.push(await node.client.issue(`${name}-${n}`));
    return pairs;
  }

  it('refuses some calls, answers all that it takes, and rightly, says SERVING, and serves everybody after it', async () => {
    const { client } = node;
    const leaving = await loginsOf('leaving');
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
