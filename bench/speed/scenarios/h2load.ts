// The scenario that looks whether the client makes the figures: validate of the same token once more, by h2load.

import { HAS_H2LOAD } from '../../load/h2load.js';
import { cleanly } from '../../machine/cleanup.js';
import { echoOf, serveOn } from '../duel.js';
import { enterByH2load } from '../h2load-contender.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { tokenOf, validationOf } from '../tokens.js';
import { sessionsFor, validateRequest } from './validate.js';

const byH2load = (lab: Lab, choice: Choice): Promise<Row> =>
  cleanly(async (cleanup) => {
    const { id, what, algorithm, store: kind, sessions } = choice;
    const [session = lab.freshOne()] = await sessionsFor(lab, choice, 1);
    const message = validateRequest(tokenOf('access', session, lab.keys[algorithm].keys));
    const expected = validationOf(session);
    const store = await lab.store(kind, sessions);
    const asked = { storePid: store.pid, message, expected };
    const echo = await echoOf(lab, { validateToken: expected }, cleanup);
    const service = await serveOn(lab, algorithm, store, cleanup);
    const theirs = enterByH2load(lab, { ...asked, name: `${id}, echo`, server: echo });
    const ours = enterByH2load(lab, { ...asked, name: id, server: service });
    const [base = [], figures = []] = await rounds(lab, [theirs, ours]);
    return rowOf({ id, what, against: 'bare gRPC echo' }, figures, base);
  });

/** Nothing, where h2load is not installed. */
export const h2loadScenario: Scenario = {
  name: 'h2load',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, algorithm: 'ES256', store: 'redis' } as const;
    return HAS_H2LOAD
      ? [await byH2load(lab, { ...on, id: 'h2load/validate', what: 'validate, same token, by h2load' })]
      : [];
  },
};
