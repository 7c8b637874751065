// Owns the scenario of workers: two against one, on every core, whatever the load and the store leave of them.

import type { Work } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import { startServe } from '../../servers/latchkey.js';
import { enter } from '../contenders.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { cannedRefresh, refreshing } from './refresh.js';
import { cannedValidation, sessionsFor, validating } from './validate.js';

const twoToOne = (lab: Lab, choice: Choice, works: readonly [one: Work, two: Work]): Promise<Row> =>
  cleanly(async (cleanup) => {
    const store = await lab.store(choice.store, choice.sessions);
    const contender = async (workers: 1 | 2) => {
      const env = { ...lab.keys[choice.algorithm].env, ...store.env, WORKERS: `${workers}` };
      const service = await startServe({ folder: lab.folder, env, everyCore: true });
      cleanup.add(() => service.stop());
      const name = `${choice.id}, ${workers}`;
      return enter(
        lab,
        { name, servers: [service], helpers: [store.pid], work: works[workers - 1] ?? works[0] },
        cleanup,
      );
    };
    const [base = [], figures = []] = await rounds(lab, [await contender(1), await contender(2)]);
    const { id, what } = choice;
    return rowOf({ id, what, against: 'the same with one worker' }, figures, base);
  });

export const workersScenario: Scenario = {
  name: 'workers',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', algorithm: 'ES256' } as const;
    const validate = {
      ...on,
      id: 'workers/validate',
      what: `validate, ${lab.sizes.tokens} tokens in turn, two workers`,
    };
    const refresh = { ...on, id: 'workers/refresh', what: 'refresh, two workers' };
    const tokens = await sessionsFor(lab, validate, lab.sizes.tokens);
    const validations = validating(lab, 'ES256', tokens, cannedValidation(lab), 'in turn').ours;
    const { keys } = lab.keys.ES256;
    const refreshes = () => refreshing(keys, lab.fresh(lab.sizes.tokens), cannedRefresh(lab, keys)).ours;
    return [
      await twoToOne(lab, validate, [validations, validations]),
      await twoToOne(lab, refresh, [refreshes(), refreshes()]),
    ];
  },
};
