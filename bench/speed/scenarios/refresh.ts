// The scenarios of RefreshToken: chains of many sessions, each call with the token that the one before it answered.

import { RefreshTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Keys } from '../../../src/core/ports.js';
import type { Answers, Route } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import { startLeast } from '../../servers/bare.js';
import type { Session } from '../../stores/sessions.js';
import { enter } from '../contenders.js';
import { duel, echoOf, serveOn } from '../duel.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { pairOf, tokenOf } from '../tokens.js';

const ROUTE: Route = { protocol: 'grpc', path: '/auth.v1.AuthService/RefreshToken', headers: {} };

/** Chains of some sessions, for the service and for an echo that has one answer to all. */
export function refreshing(keys: Keys, sessions: readonly Session[], canned: Uint8Array) {
  const refreshTokens = sessions.map((session) => tokenOf('refresh', session, keys));
  const work = (answers: Answers) => ({ kind: 'chained', route: ROUTE, refreshTokens, answers }) as const;
  return { ours: work({ kind: 'pairs' }), theirs: work({ kind: 'canned', bytes: canned }) };
}

export const cannedRefresh = (lab: Lab, keys: Keys): Uint8Array =>
  RefreshTokenResponse.encode({ tokens: pairOf(lab.freshOne(), keys) }).finish();

function refresh(lab: Lab, choice: Choice): Promise<Row> {
  const { keys } = lab.keys[choice.algorithm];
  const canned = cannedRefresh(lab, keys);
  const work = refreshing(keys, lab.fresh(lab.sizes.tokens), canned);
  return duel(lab, { ...choice, answers: { refreshToken: canned }, work });
}

/** The service and the least that a refresh must do, each against the same rounds of the echo. */
const refreshAndLeast = (lab: Lab, { id, what, algorithm, sessions }: Choice): Promise<Row[]> =>
  cleanly(async (cleanup) => {
    const { keys, env } = lab.keys[algorithm];
    const canned = cannedRefresh(lab, keys);
    const store = await lab.store('redis', sessions);
    const helpers = [store.pid];
    const echo = await echoOf(lab, { refreshToken: canned }, cleanup);
    const least = await startLeast(lab.folder, { ...env, ...store.env });
    cleanup.add(() => least.stop());
    const service = await serveOn(lab, algorithm, store, cleanup);
    const work = () => refreshing(keys, lab.fresh(lab.sizes.tokens), canned);
    const contenders = [
      await enter(lab, { name: `${id}, echo`, servers: [echo], helpers, work: work().theirs }, cleanup),
      await enter(lab, { name: `${id}, least`, servers: [least], helpers, work: work().ours }, cleanup),
      await enter(lab, { name: id, servers: [service], helpers, work: work().ours }, cleanup),
    ];
    const [base = [], floor = [], figures = []] = await rounds(lab, contenders);
    const against = 'bare gRPC echo';
    return [
      rowOf({ id, what, against }, figures, base),
      rowOf({ id: `${id}/least`, what: `the least that a ${what} must do`, against }, floor, base),
      rowOf({ id: `${id}/of-least`, what, against: 'the least that it must do' }, figures, floor),
    ];
  });

export const refreshScenario: Scenario = {
  name: 'refresh',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', what: 'refresh' } as const;
    const lmdb = { ...on, store: 'lmdb', algorithm: 'ES256', id: 'refresh/ES256/lmdb', what: 'refresh, LMDB' } as const;
    return [
      ...(await refreshAndLeast(lab, { ...on, algorithm: 'HS256', id: 'refresh/HS256/redis' })),
      ...(await refreshAndLeast(lab, { ...on, algorithm: 'ES256', id: 'refresh/ES256/redis' })),
      await refresh(lab, lmdb),
    ];
  },
};
