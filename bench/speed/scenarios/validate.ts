// The scenarios of ValidateToken: the same token, many in turn, and each only once.

import { ValidateTokenRequest } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Route, Work } from '../../load/work.js';
import type { Session } from '../../stores/sessions.js';
import { NEW_A_MS } from '../contenders.js';
import { type Both, duel } from '../duel.js';
import type { Algorithm } from '../keys.js';
import type { Lab } from '../lab.js';
import type { Row } from '../row.js';
import type { Choice, Scenario } from '../scenario.js';
import { tokenOf, validationOf } from '../tokens.js';

const ROUTE: Route = { protocol: 'grpc', path: '/auth.v1.AuthService/ValidateToken', headers: {} };
type Order = 'in turn' | 'once';

export const validateRequest = (accessToken: string): Uint8Array =>
  ValidateTokenRequest.encode({ accessToken, includeClaims: false }).finish();

/** Work for the service, and for an echo that has one answer to all. */
export function validating(
  lab: Lab,
  algorithm: Algorithm,
  sessions: readonly Session[],
  canned: Uint8Array,
  order: Order,
) {
  const { keys } = lab.keys[algorithm];
  const messages = sessions.map((session) => validateRequest(tokenOf('access', session, keys)));
  const expected = sessions.map((session) => ({ bytes: validationOf(session), whole: true }));
  const work = { kind: 'fixed', route: ROUTE, messages, order } as const;
  return { ours: { ...work, expected }, theirs: { ...work, expected: [{ bytes: canned, whole: true }] } };
}

/** What an echo answers, of the same size as what the service does. */
export const cannedValidation = (lab: Lab): Uint8Array => validationOf(lab.freshOne());

/** Sessions that are in the store, and where they are too few, such as were never refreshed beside them. */
export async function sessionsFor(lab: Lab, { store, sessions }: Choice, wanted: number): Promise<Session[]> {
  const { sample } = await lab.store(store, sessions);
  const known = sample.slice(0, wanted);
  return [...known, ...lab.fresh(wanted - known.length)];
}

async function inTurn(lab: Lab, choice: Choice, tokens: number): Promise<Row> {
  const canned = cannedValidation(lab);
  const work = validating(lab, choice.algorithm, await sessionsFor(lab, choice, tokens), canned, 'in turn');
  return duel(lab, { ...choice, answers: { validateToken: canned }, work });
}

/** The echo runs first, with the same tokens. */
function eachOnce(lab: Lab, choice: Choice): Promise<Row> {
  const canned = cannedValidation(lab);
  let made: { readonly ours: Work; readonly theirs: Work } | undefined;
  const make = (ms: number) => {
    made = validating(lab, choice.algorithm, lab.fresh(Math.ceil(ms * NEW_A_MS)), canned, 'once');
    return made;
  };
  const work: Both = { theirs: (ms) => make(ms).theirs, ours: (ms) => (made ?? make(ms)).ours };
  return duel(lab, { ...choice, answers: { validateToken: canned }, work });
}

export const validateScenario: Scenario = {
  name: 'validate',
  run: async (lab) => {
    const { few, tokens } = lab.sizes;
    const on = { sessions: few, algorithm: 'ES256', store: 'redis' } as const;
    const turn = `${tokens} tokens in turn`;
    return [
      await inTurn(lab, { ...on, id: 'validate/same/redis', what: 'validate, same token' }, 1),
      await inTurn(lab, { ...on, id: 'validate/turn/redis', what: `validate, ${turn}` }, tokens),
      await inTurn(lab, { ...on, store: 'lmdb', id: 'validate/same/lmdb', what: 'validate, same token, LMDB' }, 1),
      await inTurn(lab, { ...on, store: 'lmdb', id: 'validate/turn/lmdb', what: `validate, ${turn}, LMDB` }, tokens),
    ];
  },
};

export const newTokensScenario: Scenario = {
  name: 'validate-new',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis' } as const;
    return [
      await eachOnce(lab, { ...on, algorithm: 'HS256', id: 'validate/new/HS256', what: 'validate, every token new' }),
      await eachOnce(lab, { ...on, algorithm: 'ES256', id: 'validate/new/ES256', what: 'validate, every token new' }),
    ];
  },
};
