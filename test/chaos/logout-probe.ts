// A logout that a validator is asked about at the worst moments.
// While a call that was sent before it is under way, right after its answer, and when the answers from before it become
// too old.

import { elapse } from '../support/waiting.js';
import type { Random } from './random.js';
import type { Recorder } from './recorder.js';
import type { Asked, Staleness, ValidatorProcess } from './validator-process.js';

const PATIENCE_MS = 4_000;
/** From the question to the logout, ms: the service answers the one, and its answer is still under way. */
const LEAD_MS = [2, 60] as const;
/** From the answer to the logout until strict questions, ms. */
const SOON_MS = [0, 60] as const;
/** How much before or after the end of the staleness the last question comes, ms. */
const EDGE_MS = [-80, 260] as const;

/** How many probes this process has made: each has a subject of its own. */
let probes = 0;

export interface ProbeOptions {
  readonly validator: ValidatorProcess;
  /** The staleness that the validator's callers allow, one at random. */
  readonly stalenesses: readonly Staleness[];
  readonly recorder: Recorder;
  readonly random: Random;
}

/** Makes one session, ends it, and asks about it. */
export async function probeLogout({ validator, stalenesses, recorder, random }: ProbeOptions): Promise<void> {
  const node = random.chance(0.5) ? 1 : 0;
  const held = await recorder.issue(node, `probe-${++probes}`, PATIENCE_MS);
  // The service does not answer now.
  if (!held) return elapse(random.between(100, 300), 'paces calls');
  const pick = (): Asked => ({ of: held, stalenessMs: random.pick(stalenesses) });
  const first = validator.ask([pick()]);
  await elapse(random.between(...LEAD_MS), 'the logout comes a moment later');
  await recorder.logout(1 - node, held, 'both', false, PATIENCE_MS);
  const answeredMs = performance.now();
  await elapse(random.between(...SOON_MS), 'the question comes a moment later');
  const strict = stalenesses.includes(undefined) ? [{ of: held, stalenessMs: undefined }] : [];
  // A question at the edge must be the first one after the logout: others would have the service asked again.
  const last = pick();
  if (last.stalenessMs === undefined || random.chance(0.4)) {
    await Promise.all([first, validator.ask([...strict, last])]);
    return;
  }
  const waitMs = last.stalenessMs + random.between(...EDGE_MS) - (performance.now() - answeredMs);
  await Promise.all([first, elapse(waitMs, 'the staleness ends').then(() => validator.ask([last]))]);
}
