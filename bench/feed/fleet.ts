// The section of the fleet: remembered answers and the feed side by side, under the same requests.

import { quantile } from '../figures.js';
import { type Crowd, crowd } from '../validator/crowd.js';
import type { Subject } from '../validator/subject.js';
import { type Figure, grouped } from './figure.js';

export interface FleetScale {
  readonly processes: number;
  readonly validators: number;
  /** Requests a second, of each validator. */
  readonly perS: number;
  readonly hot: number;
  readonly ending: number;
  readonly ms: number;
}

function measuredOf({
  requestsPerS,
  serveCores,
  storeCores,
  callsPerS,
  waitedPerMillion,
  failed,
  knownAfterMs,
}: Crowd) {
  const cores = `serve ${serveCores.toFixed(3)} cores, Redis ${storeCores.toFixed(3)}`;
  const delay = `a logout is known after p50 ${grouped(quantile(knownAfterMs, 0.5))} ms, p99 ${grouped(quantile(knownAfterMs, 0.99))} ms`;
  const calls = `${grouped(callsPerS)} calls/s, ${grouped(waitedPerMillion)} of a million waited, ${failed} failed`;
  return `${grouped(requestsPerS)}/s: ${cores}; ${delay}; ${calls}`;
}

export async function fleet(subject: Subject, scale: FleetScale): Promise<Figure[]> {
  const { processes, validators, perS, hot, ending, ms } = scale;
  const figures: Figure[] = [];
  for (const source of ['answers', 'feed'] as const) {
    const found = await crowd(subject, { processes, each: validators / processes, ms, source, perS, hot, ending });
    const what = `${validators} validators in ${processes} processes, ${hot} hot tokens and ${grouped(perS)}/s each, maxStaleness 2s, source ${source}`;
    figures.push({ what, measured: measuredOf(found) });
  }
  return figures;
}
