// Tests that a service refuses none of as many calls as may be under way, also after a pause of a second.

import { expect } from 'chai';
import { validations } from '../../bench/load/validations.js';
import type { Work } from '../../bench/load/work.js';
import { IssueTokenRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse } from '../support/waiting.js';
import { loadOn, numbers } from './load.js';
import { type ServiceNode, Stage } from './stage.js';

/** As many as may be under way. */
const ALLOWED = 256;
const PAUSE_MS = 1_000;

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
      await elapse(PAUSE_MS / 4, 'load before the pause');
      node.process.child.kill('SIGSTOP');
      await elapse(PAUSE_MS, 'the pause');
      node.process.child.kill('SIGCONT');
      if (redis) {
        await elapse(PAUSE_MS / 4, 'load before the pause');
        redis.pause();
        await elapse(PAUSE_MS, 'the pause');
        redis.resume();
      }
      const { counts } = await running;
      expect(counts.refused).to.equal(0);
      expect(counts.answered).to.be.greaterThan(ALLOWED);
    });
  });
}
