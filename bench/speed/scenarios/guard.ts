// The scenario of a guarded route: fastify with the plugin of latchkey/validator against the same route without it.

import type { Work } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import { startShop } from '../../servers/bare.js';
import { startServe } from '../../servers/latchkey.js';
import { enter } from '../contenders.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { rounds, type Scenario } from '../scenario.js';
import { tokenOf } from '../tokens.js';
import { REST_CONNECTIONS } from './rest.js';

/** Tokens in use at a time in one process. */
const HOT_TOKENS = 200;
const ANSWER = Buffer.from('{"orders":[]}');

const guard = (lab: Lab): Promise<Row> =>
  cleanly(async (cleanup) => {
    const { keys, env } = lab.keys.ES256;
    const store = await lab.store('redis', lab.sizes.few);
    // In operation it has a machine of its own. On the core of the route it would take its part of that, not of its own.
    const service = await startServe({ folder: lab.folder, env: { ...env, ...store.env }, besideLoad: true });
    cleanup.add(() => service.stop());
    const bare = await startShop(lab.folder);
    cleanup.add(() => bare.stop());
    const guarded = await startShop(lab.folder, service);
    cleanup.add(() => guarded.stop());

    const work: Work = {
      kind: 'fixed',
      route: { protocol: 'http', path: '/orders', headers: {}, bearer: true },
      messages: lab.fresh(HOT_TOKENS).map((session) => Buffer.from(tokenOf('access', session, keys))),
      expected: [{ bytes: ANSWER, whole: true }],
      order: 'in turn',
    };
    const entry = { httpConnections: REST_CONNECTIONS, helpers: [store.pid, service.pid], work } as const;
    const theirs = await enter(lab, { ...entry, name: 'guard, bare', servers: [bare] }, cleanup);
    const ours = await enter(lab, { ...entry, name: 'guard', servers: [guarded] }, cleanup);
    const [base = [], figures = []] = await rounds(lab, [theirs, ours]);
    const what = `a fastify route guarded by latchkey/validator, ${HOT_TOKENS} hot tokens`;
    return rowOf({ id: 'guard/fastify', what, against: 'the same route, not guarded' }, figures, base);
  });

export const guardScenario: Scenario = { name: 'guard', run: async (lab) => [await guard(lab)] };
