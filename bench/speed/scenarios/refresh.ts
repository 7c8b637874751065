// Owns the scenarios of RefreshToken: chains of many sessions, each call with the token that the one before it answered.

import { RefreshTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../../../proto/gen/auth/v1/token.js';
import type { Answers, Route } from '../../load/work.js';
import type { Session } from '../../stores/sessions.js';
import { type Duel, duel } from '../duel.js';
import type { BenchKey } from '../keys.js';
import type { Lab } from '../lab.js';
import type { Row } from '../row.js';
import type { Scenario } from '../scenario.js';
import { tokenOf } from '../tokens.js';

const ROUTE: Route = { protocol: 'grpc', path: '/auth.v1.AuthService/RefreshToken', headers: {} };

/** What an echo answers: the pair of a session as the service would answer it. */
export const pairOf = (session: Session, { keys }: BenchKey): TokenPair => ({
  accessToken: tokenOf('access', session, keys),
  refreshToken: tokenOf('refresh', session, keys),
  accessExpiresAt: session.accessExpiresAt,
  refreshExpiresAt: session.refreshExpiresAt,
  sessionId: session.sessionId,
});

export const refreshing = (
  lab: Lab,
  algorithm: Duel['algorithm'],
  sessions: readonly Session[],
  canned: Uint8Array,
) => {
  const refreshTokens = sessions.map((session) => tokenOf('refresh', session, lab.keys[algorithm].keys));
  const work = (answers: Answers) => ({ kind: 'chained', route: ROUTE, refreshTokens, answers }) as const;
  return { ours: work({ kind: 'pairs' }), theirs: work({ kind: 'canned', bytes: canned }) };
};

export async function refreshDuel(
  lab: Lab,
  choice: Pick<Duel, 'id' | 'what' | 'algorithm' | 'store' | 'sessions'>,
): Promise<Row> {
  const [first, ...sessions] = lab.fresh(lab.sizes.tokens + 1);
  if (!first) throw new Error('there is no session');
  const tokens = pairOf(first, lab.keys[choice.algorithm]);
  const canned = RefreshTokenResponse.encode({ tokens }).finish();
  const work = refreshing(lab, choice.algorithm, sessions, canned);
  return duel(lab, { ...choice, answers: { refreshToken: canned }, work });
}

export const refreshScenario: Scenario = {
  name: 'refresh',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', what: 'refresh' } as const;
    return [
      await refreshDuel(lab, { ...on, algorithm: 'HS256', id: 'refresh/HS256/redis' }),
      await refreshDuel(lab, { ...on, algorithm: 'ES256', id: 'refresh/ES256/redis' }),
      await refreshDuel(lab, { ...on, store: 'lmdb', algorithm: 'ES256', id: 'refresh/ES256/lmdb' }),
    ];
  },
};
