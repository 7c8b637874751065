// The scenario of workers: two against one, on every core, whatever the load and the store leave of them.

import { HAS_H2LOAD } from '../../load/h2load.js';
import type { Work } from '../../load/work.js';
import { type Cleanup, cleanly } from '../../machine/cleanup.js';
import type { Child } from '../../servers/child.js';
import { startServe } from '../../servers/latchkey.js';
import type { FilledStore } from '../../stores/filled.js';
import { enter } from '../contenders.js';
import type { Contender } from '../contest.js';
import { enterByH2load } from '../h2load-contender.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { tokenOf, validationOf } from '../tokens.js';
import { cannedRefresh, refreshing } from './refresh.js';
import { cannedValidation, sessionsFor, validateRequest, validating } from './validate.js';

interface Crew {
  readonly name: string;
  readonly service: Child;
  readonly store: FilledStore;
  readonly workers: 1 | 2;
}

/** @param toContend how a service of one worker, or of two, takes part */
const twoToOne = (
  lab: Lab,
  { id, what, algorithm, store: kind, sessions }: Choice,
  toContend: (crew: Crew, cleanup: Cleanup) => Contender | Promise<Contender>,
): Promise<Row> =>
  cleanly(async (cleanup) => {
    const store = await lab.store(kind, sessions);
    const contender = async (workers: 1 | 2) => {
      const env = { ...lab.keys[algorithm].env, ...store.env, WORKERS: `${workers}` };
      const service = await startServe({ folder: lab.folder, env, everyCore: true });
      cleanup.add(() => service.stop());
      return toContend({ name: `${id}, ${workers}`, service, store, workers }, cleanup);
    };
    const [base = [], figures = []] = await rounds(lab, [await contender(1), await contender(2)]);
    return rowOf({ id, what, against: 'the same with one worker' }, figures, base);
  });

const byOurs =
  (lab: Lab, works: readonly [one: Work, two: Work]) =>
  ({ name, service, store, workers }: Crew, cleanup: Cleanup): Promise<Contender> =>
    enter(lab, { name, servers: [service], helpers: [store.pid], work: works[workers - 1] ?? works[0] }, cleanup);

/** The client that leaves most of the cores to the workers. */
async function byH2load(lab: Lab, choice: Choice): Promise<Row> {
  const [session = lab.freshOne()] = await sessionsFor(lab, choice, 1);
  const message = validateRequest(tokenOf('access', session, lab.keys[choice.algorithm].keys));
  const asked = { message, expected: validationOf(session) };
  return twoToOne(lab, choice, ({ name, service: server, store }) =>
    enterByH2load(lab, { ...asked, name, server, storePid: store.pid }),
  );
}

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
    const same = { ...on, id: 'workers/h2load', what: 'validate, same token, by h2load, two workers' };
    return [
      ...(HAS_H2LOAD ? [await byH2load(lab, same)] : []),
      await twoToOne(lab, validate, byOurs(lab, [validations, validations])),
      await twoToOne(lab, refresh, byOurs(lab, [refreshes(), refreshes()])),
    ];
  },
};
