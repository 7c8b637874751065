// Owns the scenarios of RefreshToken: chains of many sessions, each call with the token that the one before it answered.

import { RefreshTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Keys } from '../../../src/core/ports.js';
import type { Answers, Route } from '../../load/work.js';
import type { Session } from '../../stores/sessions.js';
import { duel } from '../duel.js';
import type { Lab } from '../lab.js';
import type { Row } from '../row.js';
import type { Choice, Scenario } from '../scenario.js';
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

export const refreshScenario: Scenario = {
  name: 'refresh',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', what: 'refresh' } as const;
    return [
      await refresh(lab, { ...on, algorithm: 'HS256', id: 'refresh/HS256/redis' }),
      await refresh(lab, { ...on, algorithm: 'ES256', id: 'refresh/ES256/redis' }),
      await refresh(lab, { ...on, store: 'lmdb', algorithm: 'ES256', id: 'refresh/ES256/lmdb', what: 'refresh, LMDB' }),
    ];
  },
};
