// The usual contest: the service on a store against a bare echo of the same messages.

import { type Cleanup, cleanly } from '../machine/cleanup.js';
import { startEcho } from '../servers/bare.js';
import type { Child } from '../servers/child.js';
import { startServe } from '../servers/latchkey.js';
import type { FilledStore } from '../stores/filled.js';
import { enter, type Supply } from './contenders.js';
import type { Algorithm } from './keys.js';
import type { Lab } from './lab.js';
import { type Row, rowOf } from './row.js';
import { type Choice, rounds } from './scenario.js';

/** One piece of work, as the service has to answer it and as the echo does. */
export interface Both {
  readonly ours: Supply;
  readonly theirs: Supply;
}

export interface Duel extends Choice {
  /** The echo's, by the methods' names in the generated code. */
  readonly answers: Readonly<Record<string, Uint8Array>>;
  readonly work: Both;
  /** How many tokens a call of the service holds. */
  readonly tokensACall?: number;
  /** What the echo does, if it is not the same. */
  readonly against?: string;
}

export async function serveOn(lab: Lab, algorithm: Algorithm, store: FilledStore, cleanup: Cleanup): Promise<Child> {
  const service = await startServe({ folder: lab.folder, env: { ...lab.keys[algorithm].env, ...store.env } });
  cleanup.add(() => service.stop());
  return service;
}

export async function echoOf(lab: Lab, answers: Duel['answers'], cleanup: Cleanup): Promise<Child> {
  const echo = await startEcho(lab.folder, answers);
  cleanup.add(() => echo.stop());
  return echo;
}

/** @throws WrongAnswers */
export const duel = (lab: Lab, { id, what, algorithm, store: kind, ...rest }: Duel): Promise<Row> =>
  cleanly(async (cleanup) => {
    const { sessions, answers, work, tokensACall = 1, against = 'bare gRPC echo' } = rest;
    const store = await lab.store(kind, sessions);
    const helpers = [store.pid];
    const servers = [await echoOf(lab, answers, cleanup), await serveOn(lab, algorithm, store, cleanup)] as const;
    const theirs = await enter(
      lab,
      { name: `${id}, echo`, servers: [servers[0]], helpers, work: work.theirs },
      cleanup,
    );
    const ours = await enter(lab, { name: id, servers: [servers[1]], helpers, tokensACall, work: work.ours }, cleanup);
    const [base = [], figures = []] = await rounds(lab, [theirs, ours]);
    return rowOf({ id, what, against }, figures, base);
  });
