// The scenario of a refresh by REST: the gateway and the service behind it, against bare fastify and a bare echo.

import { RefreshTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Answers, Route } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import { startRest } from '../../servers/bare.js';
import { startGateway } from '../../servers/latchkey.js';
import { enter } from '../contenders.js';
import { echoOf, serveOn } from '../duel.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { pairOf, tokenOf } from '../tokens.js';

const ROUTE: Route = {
  protocol: 'http',
  path: '/api/auth/token/refresh/',
  headers: { 'content-type': 'application/json' },
};

/** Enough to keep it busy, and few enough that no call waits for longer than the gateway lets it. */
export const REST_CONNECTIONS = 32;

const rest = (lab: Lab, { id, what, algorithm, store: kind, sessions }: Choice): Promise<Row> =>
  cleanly(async (cleanup) => {
    const { keys } = lab.keys[algorithm];
    const tokens = pairOf(lab.freshOne(), keys);
    const canned = Buffer.from(JSON.stringify({ access: tokens.accessToken, refresh: tokens.refreshToken }));
    const refreshTokens = lab.fresh(lab.sizes.tokens).map((session) => tokenOf('refresh', session, keys));
    const work = (answers: Answers) => ({ kind: 'chained', route: ROUTE, refreshTokens, answers }) as const;

    const echo = await echoOf(lab, { refreshToken: RefreshTokenResponse.encode({ tokens }).finish() }, cleanup);
    const bare = await startRest(lab.folder, echo);
    cleanup.add(() => bare.stop());
    const store = await lab.store(kind, sessions);
    const service = await serveOn(lab, algorithm, store, cleanup);
    const gateway = await startGateway(lab.folder, service);
    cleanup.add(() => gateway.stop());

    const entry = { httpConnections: REST_CONNECTIONS, helpers: [store.pid] } as const;
    const answers = { kind: 'canned', bytes: canned } as const;
    const theirs = await enter(
      lab,
      { ...entry, name: `${id}, bare`, servers: [bare, echo], work: work(answers) },
      cleanup,
    );
    const ours = await enter(
      lab,
      { ...entry, name: id, servers: [gateway, service], work: work({ kind: 'json' }) },
      cleanup,
    );
    const [base = [], figures = []] = await rounds(lab, [theirs, ours]);
    return rowOf({ id, what, against: 'bare fastify and one bare gRPC call' }, figures, base);
  });

export const restScenario: Scenario = {
  name: 'rest',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', what: 'refresh by REST' } as const;
    return [
      await rest(lab, { ...on, algorithm: 'HS256', id: 'rest/HS256/redis' }),
      await rest(lab, { ...on, algorithm: 'ES256', id: 'rest/ES256/redis' }),
    ];
  },
};
