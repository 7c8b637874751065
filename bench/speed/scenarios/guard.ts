// The scenario of a guarded route: fastify with the plugin of latchkey/validator against the same route without it.

import type { Work } from '../../load/work.js';
import { cleanly } from '../../machine/cleanup.js';
import { startShop } from '../../servers/bare.js';
import type { Child } from '../../servers/child.js';
import { startServe } from '../../servers/latchkey.js';
import { enter } from '../contenders.js';
import type { Contender } from '../contest.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { rounds, type Scenario } from '../scenario.js';
import { tokenOf } from '../tokens.js';
import { REST_CONNECTIONS } from './rest.js';

/** Tokens in use at a time in one process. */
const HOT_TOKENS = 200;
const ANSWER = Buffer.from('{"orders":[]}');
/**
 * Processes of each kind. V8 does not compile the same code alike in every process: on Node 20, some processes take a
 * fifth longer than others for as long as they run.
 */
const PAIRS = 3;

const guard = (lab: Lab): Promise<Row> =>
  cleanly(async (cleanup) => {
    const { keys, env } = lab.keys.ES256;
    const store = await lab.store('redis', lab.sizes.few);
    // In operation it has a machine of its own. On the core of the route it would take its part of that, not of its own.
    const service = await startServe({ folder: lab.folder, env: { ...env, ...store.env }, besideLoad: true });
    cleanup.add(() => service.stop());
    const work: Work = {
      kind: 'fixed',
      route: { protocol: 'http', path: '/orders', headers: {}, bearer: true },
      messages: lab.fresh(HOT_TOKENS).map((session) => Buffer.from(tokenOf('access', session, keys))),
      expected: [{ bytes: ANSWER, whole: true }],
      order: 'in turn',
    };
    const entry = { httpConnections: REST_CONNECTIONS, helpers: [store.pid, service.pid], work } as const;
    const join = async (name: string, shop: Child): Promise<Contender> => {
      cleanup.add(() => shop.stop());
      return enter(lab, { ...entry, name, servers: [shop] }, cleanup);
    };
    const contenders: Contender[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      contenders.push(await join('guard, bare', await startShop(lab.folder)));
      contenders.push(await join('guard', await startShop(lab.folder, service)));
    }
    const ran = await rounds(lab, contenders);
    const base = ran.filter((_, index) => index % 2 === 0).flat();
    const figures = ran.filter((_, index) => index % 2 === 1).flat();
    const what = `a fastify route guarded by latchkey/validator, ${HOT_TOKENS} hot tokens`;
    return rowOf({ id: 'guard/fastify', what, against: 'the same route, not guarded' }, figures, base);
  });

export const guardScenario: Scenario = { name: 'guard', run: async (lab) => [await guard(lab)] };
