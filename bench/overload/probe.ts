// One piece of load as it is seen from all sides: by its calls, by a client that asks for the health, by the system.

import type { TestClient } from '../../test/support/auth-client.js';
import { quantile } from '../figures.js';
import type { Load, Outcomes } from '../load/load.js';
import type { LoadProcess } from '../load/load-process.js';
import { cpuMsOf, cpuMsOfAll, memoryMiBOf } from '../machine/usage.js';

/** How often the health is asked for, ms. */
const ASK_MS = 20;

export interface Seen extends Outcomes {
  readonly answeredPerS: number;
  readonly refusedPerS: number;
  readonly healthP99Ms: number;
  /** Every answer that was not SERVING, and every failure. */
  readonly unhealthy: number;
  /** The share of one core that the service took, while the load was counted. */
  readonly serverCpu: number;
  /** The share of one core that other programs of this machine took. */
  readonly othersCpu: number;
  readonly memoryMiB: number;
}

export interface Subject {
  readonly client: TestClient;
  readonly load: LoadProcess;
  readonly pid: number;
  /** Of Redis, of who makes the load, and our own: what is neither theirs nor the service's is of other programs. */
  readonly helpers: readonly number[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function probe({ client, load, pid, helpers }: Subject, what: Load): Promise<Seen> {
  const running = load.run(what);
  await sleep(what.warmMs);
  const usage = () => ({
    server: cpuMsOf(pid),
    ours: [pid, ...helpers].reduce((sum, each) => sum + cpuMsOf(each), 0),
    all: cpuMsOfAll(),
  });
  const [startMs, before] = [performance.now(), usage()];
  const healthMs: number[] = [];
  let unhealthy = 0;
  while (performance.now() - startMs < what.countedMs) {
    const askedMs = performance.now();
    const state = await client.health().catch((error: Error) => error.message);
    healthMs.push(performance.now() - askedMs);
    if (state !== 'SERVING') unhealthy++;
    await sleep(ASK_MS);
  }
  const [ms, after] = [performance.now() - startMs, usage()];
  const outcomes = await running;
  const perS = (count: number): number => (count * 1000) / what.countedMs;
  return {
    ...outcomes,
    answeredPerS: perS(outcomes.answeredInTime),
    refusedPerS: perS(outcomes.counts.refused),
    healthP99Ms: quantile(healthMs, 0.99),
    unhealthy,
    serverCpu: (after.server - before.server) / ms,
    othersCpu: (after.all - before.all - (after.ours - before.ours)) / ms,
    memoryMiB: memoryMiBOf(pid),
  };
}
