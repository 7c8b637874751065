// The scenario of ValidateTokens: many tokens a call, counted by the token.

import {
  ValidateTokenResponse,
  ValidateTokensRequest,
  ValidateTokensResponse,
} from '../../../proto/gen/auth/v1/auth_service.js';
import type { Expected, Route } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import type { Session } from '../../stores/sessions.js';
import { enter } from '../contenders.js';
import { echoOf, serveOn } from '../duel.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { tokenOf, validationOf } from '../tokens.js';
import { cannedValidation, sessionsFor, validating } from './validate.js';

const ROUTE: Route = { protocol: 'grpc', path: '/auth.v1.AuthService/ValidateTokens', headers: {} };
const TOKENS_A_CALL = 100;

const answerOf = (sessions: readonly Session[]): Uint8Array =>
  ValidateTokensResponse.encode({
    results: sessions.map((session) => ({
      validation: ValidateTokenResponse.decode(validationOf(session)),
      cannotTell: undefined,
    })),
  }).finish();

/** A base of two: the same messages, and a call for each token. */
const batch = (lab: Lab, choice: Choice): Promise<Row[]> =>
  cleanly(async (cleanup) => {
    const { keys } = lab.keys[choice.algorithm];
    const sessions = await sessionsFor(lab, choice, lab.sizes.tokens);
    const batches = Array.from({ length: Math.floor(sessions.length / TOKENS_A_CALL) }, (_, at) =>
      sessions.slice(at * TOKENS_A_CALL, (at + 1) * TOKENS_A_CALL),
    );
    const messages = batches.map((each) => {
      const accessTokens = each.map((session) => tokenOf('access', session, keys));
      return ValidateTokensRequest.encode({ accessTokens, includeClaims: false }).finish();
    });
    const cannedOne = cannedValidation(lab);
    const cannedMany = answerOf(lab.fresh(TOKENS_A_CALL));
    const work = (expected: readonly Expected[]) =>
      ({ kind: 'fixed', route: ROUTE, messages, expected, order: 'in turn' }) as const;

    const store = await lab.store(choice.store, choice.sessions);
    const echo = await echoOf(lab, { validateToken: cannedOne, validateTokens: cannedMany }, cleanup);
    const service = await serveOn(lab, choice.algorithm, store, cleanup);
    const helpers = [store.pid];
    const one = {
      name: `${choice.id}, echo of one`,
      servers: [echo],
      work: validating(lab, choice.algorithm, sessions, cannedOne, 'in turn').theirs,
    } as const;
    const many = {
      name: `${choice.id}, echo of ${TOKENS_A_CALL}`,
      servers: [echo],
      work: work([{ bytes: cannedMany, whole: true }]),
    } as const;
    const ours = {
      name: choice.id,
      servers: [service],
      work: work(batches.map((each) => ({ bytes: answerOf(each), whole: true }))),
    } as const;
    const [ones = [], manys = [], figures = []] = await rounds(lab, [
      await enter(lab, { ...one, helpers }, cleanup),
      await enter(lab, { ...many, helpers, tokensACall: TOKENS_A_CALL }, cleanup),
      await enter(lab, { ...ours, helpers, tokensACall: TOKENS_A_CALL }, cleanup),
    ]);
    const { id, what } = choice;
    return [
      rowOf({ id, what, against: 'bare gRPC echo of one token a call' }, figures, ones),
      rowOf({ id: `${id}/echo`, what, against: 'bare gRPC echo of the same' }, figures, manys),
    ];
  });

export const batchScenario: Scenario = {
  name: 'batch',
  run: (lab) => {
    const what = `ValidateTokens, ${TOKENS_A_CALL} a call, by the token`;
    const { few: sessions } = lab.sizes;
    return batch(lab, { id: 'batch/redis', what, algorithm: 'ES256', store: 'redis', sessions });
  },
};
