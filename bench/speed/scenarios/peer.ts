// The scenario of a peer: node-oidc-provider's introspection on the same Redis, against validate.

import { cleanly } from '../../machine/cleanup.js';
import { introspections } from '../../peer/client.js';
import { installPeer, PEER, startPeer } from '../../peer/install.js';
import { enter } from '../contenders.js';
import { serveOn } from '../duel.js';
import type { Lab } from '../lab.js';
import { type Row, rowOf } from '../row.js';
import { type Choice, rounds, type Scenario } from '../scenario.js';
import { cannedValidation, sessionsFor, validating } from './validate.js';

const against = (lab: Lab, choice: Choice): Promise<Row> =>
  cleanly(async (cleanup) => {
    const store = await lab.store(choice.store, choice.sessions);
    const location = installPeer(lab.folder);
    const peer = await startPeer(lab.folder, location, store.env['REDIS_URL'] ?? '');
    cleanup.add(() => peer.stop());
    const service = await serveOn(lab, choice.algorithm, store, cleanup);
    const { ours } = validating(
      lab,
      choice.algorithm,
      await sessionsFor(lab, choice, 1),
      cannedValidation(lab),
      'in turn',
    );
    const helpers = [store.pid];
    const work = await introspections(`${peer.host}:${peer.port}`);
    const theirs = await enter(
      lab,
      { name: PEER, servers: [peer], helpers, httpConnections: lab.sizes.connections * lab.sizes.streams, work },
      cleanup,
    );
    const mine = await enter(lab, { name: choice.id, servers: [service], helpers, work: ours }, cleanup);
    const [base = [], figures = []] = await rounds(lab, [theirs, mine]);
    const { id, what } = choice;
    return rowOf({ id, what, against: `introspection of ${PEER}, HTTP/1.1` }, figures, base);
  });

export const peerScenario: Scenario = {
  name: 'peer',
  run: async (lab) => {
    const on = { sessions: lab.sizes.few, store: 'redis', algorithm: 'ES256' } as const;
    return [await against(lab, { ...on, id: 'peer/oidc-provider', what: 'validate, same token' })];
  },
};
