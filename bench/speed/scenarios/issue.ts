// The scenario of IssueToken: logins of many subjects in turn, none of them with claims of their own.

import { IssueTokenRequest, IssueTokenResponse } from '../../../proto/gen/auth/v1/issuer_service.js';
import type { Route } from '../../load/work.js';
import { ISSUER_TOKEN } from '../../servers/latchkey.js';
import { duel } from '../duel.js';
import type { Lab } from '../lab.js';
import type { Row } from '../row.js';
import type { Choice, Scenario } from '../scenario.js';
import { pairOf } from '../tokens.js';

const ROUTE: Route = {
  protocol: 'grpc',
  path: '/auth.v1.IssuerService/IssueToken',
  headers: { authorization: `Bearer ${ISSUER_TOKEN}` },
};

function issue(lab: Lab, choice: Choice): Promise<Row> {
  const tokens = pairOf(lab.freshOne(), lab.keys[choice.algorithm].keys);
  const canned = IssueTokenResponse.encode({ tokens }).finish();
  const messages = lab
    .fresh(lab.sizes.tokens)
    .map(({ subject }) => IssueTokenRequest.encode({ subject, claims: undefined, clientId: '', scope: '' }).finish());
  const expected = [{ bytes: canned, whole: true }];
  const work = {
    ours: { kind: 'issuing', route: ROUTE, messages },
    theirs: { kind: 'fixed', route: ROUTE, messages, expected, order: 'in turn' },
  } as const;
  return duel(lab, { ...choice, answers: { issueToken: canned }, work });
}

export const issueScenario: Scenario = {
  name: 'issue',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', what: 'issue' } as const;
    return [
      await issue(lab, { ...on, algorithm: 'HS256', id: 'issue/HS256/redis' }),
      await issue(lab, { ...on, algorithm: 'ES256', id: 'issue/ES256/redis' }),
    ];
  },
};
