// The section of Redis: what rounds of several nodes cost it beside refreshes and logouts.

import { LogoutRequest, LogoutResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { median } from '../figures.js';
import { LoadProcess } from '../load/load-process.js';
import type { Work } from '../load/work.js';
import type { Child } from '../servers/child.js';
import type { Subject } from '../validator/subject.js';
import { below, type Figure } from './figure.js';

const WARM_MS = 500;
const SHARE = 0.08;
const LEAST_ANSWERED = 0.95;

const route = (method: string) => ({ protocol: 'grpc', path: `/auth.v1.AuthService/${method}`, headers: {} }) as const;
const ENDED = { bytes: LogoutResponse.encode({}).finish(), whole: true };

const logouts = (tokens: readonly string[]): Work => ({
  kind: 'fixed',
  route: route('Logout'),
  messages: tokens.map((refreshToken) =>
    LogoutRequest.encode({ accessToken: '', refreshToken, allSessions: false }).finish(),
  ),
  expected: [ENDED],
  order: 'once',
});

export interface RedisScale {
  readonly nodes: number;
  readonly rounds: number;
  /** The load on all nodes together. */
  readonly refreshesPerS: number;
  readonly endsPerS: number;
  /** On each node: more than refreshes that can be under way. */
  readonly sessions: number;
  /** How long each half of a round is counted, ms. */
  readonly ms: number;
}

/** The load on one node: its share of the refreshes, and of the ends. */
async function loadOn({ host, port }: Child, subject: Subject, scale: RedisScale) {
  const { nodes, refreshesPerS, endsPerS, sessions, ms } = scale;
  const target = { host, port, connections: 1, seed: port };
  const [refreshes, ends] = [await LoadProcess.start(target), await LoadProcess.start(target)];
  const refreshTokens = subject.refreshTokens(sessions);
  await refreshes.take({ kind: 'chained', route: route('RefreshToken'), refreshTokens, answers: { kind: 'pairs' } });
  const endsAtMost = Math.ceil(((WARM_MS + ms) / 1000) * (endsPerS / nodes) * 2) + 100;
  return {
    /** @returns the calls that were answered, and those that failed */
    run: async (): Promise<readonly [answered: number, failed: number]> => {
      await ends.take(logouts(subject.refreshTokens(endsAtMost)));
      const during = { kind: 'open', warmMs: WARM_MS, countedMs: ms } as const;
      const outcomes = await Promise.all([
        refreshes.run({ ...during, callsPerS: refreshesPerS / nodes }),
        ends.run({ ...during, callsPerS: endsPerS / nodes }),
      ]);
      const sum = (of: 'answered' | 'failed'): number => outcomes.reduce((total, { counts }) => total + counts[of], 0);
      return [sum('answered'), sum('failed')];
    },
    stop: async () => {
      await refreshes.stop();
      await ends.stop();
    },
  };
}

/** The same load with a watcher at each node, and with none, in turn. */
export async function redisBeside(subject: Subject, scale: RedisScale): Promise<Figure[]> {
  const { rounds, refreshesPerS, endsPerS, ms } = scale;
  const nodes = [subject.service];
  while (nodes.length < scale.nodes) nodes.push(await subject.addService());
  const loads = await Promise.all(nodes.map((node) => loadOn(node, subject, scale)));
  let [answered, failed] = [0, 0];
  /** @returns Redis's share of a core */
  const measure = async (): Promise<number> => {
    const [cpuMs, startMs] = [subject.storeCpuMs, performance.now()];
    for (const [good, bad] of await Promise.all(loads.map(({ run }) => run()))) {
      answered += good;
      failed += bad;
    }
    return (subject.storeCpuMs - cpuMs) / (performance.now() - startMs);
  };
  const [without, beside]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      without.push(await measure());
      const validators = nodes.map(({ host, port }) => createValidator({ address: `${host}:${port}`, source: 'feed' }));
      await Promise.all(validators.map((validator) => validator.ready('60s')));
      beside.push(await measure());
      for (const validator of validators) await validator.close();
    }
  } finally {
    for (const { stop } of loads) await stop();
  }
  const more = median(beside.map((share, round) => share - (without[round] ?? Number.NaN)));
  const dueCalls = (2 * rounds * ms * (refreshesPerS + endsPerS)) / 1000;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    {
      what: `Redis beside ${refreshesPerS} refreshes/s and ${endsPerS} ends/s, ${scale.nodes} nodes that follow: more of its core`,
      measured: `${percent(more)} (${percent(median(without))} without, ${percent(median(beside))} with; ${answered} of ${dueCalls} calls answered, ${failed} failed)`,
      // Under less load than that it says nothing.
      goal: below(SHARE, answered < LEAST_ANSWERED * dueCalls ? Number.NaN : more, '8 %'),
    },
  ];
}
