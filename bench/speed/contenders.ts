// How a server comes to take part in a contest: with a client of its own, that checks every answer.

import { LoadProcess } from '../load/load-process.js';
import type { Work } from '../load/work.js';
import type { Cleanup } from '../machine/cleanup.js';
import { familyOf } from '../machine/usage.js';
import type { Child } from '../servers/child.js';
import type { Contender, Ran } from './contest.js';
import type { Lab } from './lab.js';

const SEED = 20_261;

/** How much of what is used up is made for each ms of a run; it ends early when there is no more. */
export const NEW_A_MS = 15;

export type Supply = Work | ((ms: number) => Work);

export interface Entry {
  readonly name: string;
  /** The one that is called first; its processor time is counted, and that of all that come after it. */
  readonly servers: readonly [Child, ...Child[]];
  /** The store's process. */
  readonly helpers: readonly (number | undefined)[];
  readonly tokensACall?: number;
  /** How many connections by HTTP/1.1, with one call at a time each. Default: none, but gRPC. */
  readonly httpConnections?: number;
  /** All that the runs are made of; or, of what is used up, as much as a run of that many ms needs. */
  readonly work: Supply;
  /** The calls a second, at random moments. Default: always as many at once as are bearable. */
  readonly callsPerS?: number;
}

export async function enter({ sizes }: Lab, entry: Entry, cleanup: Cleanup): Promise<Contender> {
  const { name, servers, work, tokensACall = 1, httpConnections } = entry;
  const [{ host, port }] = servers;
  const wires = httpConnections
    ? ({ connections: httpConnections, protocol: 'http' } as const)
    : ({ connections: sizes.connections, protocol: 'grpc' } as const);
  const load = await LoadProcess.start({ host, port, seed: SEED, ...wires });
  cleanup.add(() => load.stop());
  if (typeof work !== 'function') await load.take(work);
  return {
    name,
    tokensACall,
    pids: () => servers.flatMap(({ pid }) => familyOf(pid)),
    helpers: () => [process.pid, load.pid, ...entry.helpers.filter((pid) => pid !== undefined)],
    complaints: () => servers.flatMap((server) => server.complaints()),
    ...(typeof work === 'function' ? { ready: (ms: number) => load.take(work(ms)) } : {}),
    run: (ms) => run(load, ms, httpConnections ?? sizes.connections * sizes.streams, entry.callsPerS),
  };
}

async function run(load: LoadProcess, countedMs: number, atOnce: number, callsPerS?: number): Promise<Ran> {
  const piece = { warmMs: 0, countedMs };
  const { begun, counts, tookMs, p50Ms, p99Ms } = await load.run(
    callsPerS === undefined ? { ...piece, kind: 'closed', atOnce } : { ...piece, kind: 'open', callsPerS },
  );
  return { calls: begun, wrong: begun - counts.answered, refused: counts.refused, tookMs, p50Ms, p99Ms };
}
