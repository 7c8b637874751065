// The scenario of Logout: active sessions, each ended once, by its refresh token.

import { LogoutRequest, LogoutResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Route, Work } from '../../load/work.js';
import { NEW_A_MS } from '../contenders.js';
import { type Both, duel } from '../duel.js';
import type { Lab } from '../lab.js';
import type { Row } from '../row.js';
import type { Choice, Scenario } from '../scenario.js';
import { tokenOf } from '../tokens.js';

const ROUTE: Route = { protocol: 'grpc', path: '/auth.v1.AuthService/Logout', headers: {} };
const ANSWER = LogoutResponse.encode({}).finish();

function endings(lab: Lab, { algorithm }: Choice, ms: number): Work {
  const { keys } = lab.keys[algorithm];
  const messages = lab.fresh(Math.ceil(ms * NEW_A_MS)).map((session) => {
    const refreshToken = tokenOf('refresh', session, keys);
    return LogoutRequest.encode({ accessToken: '', refreshToken, allSessions: false }).finish();
  });
  return { kind: 'fixed', route: ROUTE, messages, expected: [{ bytes: ANSWER, whole: true }], order: 'once' };
}

function logout(lab: Lab, choice: Choice): Promise<Row> {
  const supply = (ms: number): Work => endings(lab, choice, ms);
  const work: Both = { ours: supply, theirs: supply };
  return duel(lab, { ...choice, answers: { logout: ANSWER }, work });
}

export const logoutScenario: Scenario = {
  name: 'logout',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, algorithm: 'ES256' } as const;
    return [
      await logout(lab, { ...on, store: 'redis', id: 'logout/redis', what: 'logout' }),
      await logout(lab, { ...on, store: 'lmdb', id: 'logout/lmdb', what: 'logout, LMDB' }),
    ];
  },
};
