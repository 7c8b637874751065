// The scenario of a store that grows: the same load on few sessions and on many.

import type { Work } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import type { Session } from '../../stores/sessions.js';
import { enter } from '../contenders.js';
import { serveOn } from '../duel.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { cannedRefresh, refreshing } from './refresh.js';
import { cannedValidation, sessionsFor, validating } from './validate.js';

type MakeWork = (lab: Lab, choice: Choice) => Promise<Work>;

/** As many tokens as the smaller store has sessions: only the store is to differ. */
const validations: MakeWork = async (lab, choice) => {
  const sessions = await sessionsFor(lab, choice, lab.sizes.few);
  return validating(lab, choice.algorithm, sessions, cannedValidation(lab), 'in turn').ours;
};

const refreshes: MakeWork = async (lab, { algorithm }) => {
  const { keys } = lab.keys[algorithm];
  const sessions: readonly Session[] = lab.fresh(lab.sizes.tokens);
  return refreshing(keys, sessions, cannedRefresh(lab, keys)).ours;
};

const grown = (lab: Lab, choice: Choice, makeWork: MakeWork): Promise<Row> =>
  cleanly(async (cleanup) => {
    const contender = async (sessions: number) => {
      const store = await lab.store(choice.store, sessions);
      const service = await serveOn(lab, choice.algorithm, store, cleanup);
      const work = await makeWork(lab, { ...choice, sessions });
      const name = `${choice.id}, ${sessions} sessions`;
      return enter(lab, { name, servers: [service], helpers: [store.pid], work }, cleanup);
    };
    const [few, many] = [await contender(lab.sizes.few), await contender(choice.sessions)];
    const [base = [], figures = []] = await rounds(lab, [few, many]);
    const { id, what } = choice;
    return rowOf({ id, what, against: `the same with ${lab.sizes.few} sessions` }, figures, base);
  });

export const sizesScenario: Scenario = {
  name: 'sizes',
  run: async (lab) => {
    const { few, many } = lab.sizes;
    const on = { sessions: many, algorithm: 'ES256' } as const;
    const validate = { ...on, what: `validate, ${few} tokens in turn, ${many} sessions` };
    const refresh = { ...on, what: `refresh, ${many} sessions` };
    return [
      await grown(lab, { ...validate, store: 'redis', id: 'sizes/validate/redis' }, validations),
      await grown(
        lab,
        { ...validate, store: 'lmdb', id: 'sizes/validate/lmdb', what: `${validate.what}, LMDB` },
        validations,
      ),
      await grown(lab, { ...refresh, store: 'redis', id: 'sizes/refresh/redis' }, refreshes),
      await grown(
        lab,
        { ...refresh, store: 'lmdb', id: 'sizes/refresh/lmdb', what: `${refresh.what}, LMDB` },
        refreshes,
      ),
    ];
  },
};
