// A process with one validator that follows the feed, and notes when it knows that tokens are not active any more.

import { setTimeout as sleep } from 'node:timers/promises';
import { createValidator } from '../../src/validator/create-validator.js';
import type { Validator } from '../../src/validator/index.js';
import { machineMs } from '../validator/log-out.js';
import { answering } from './helper.js';

/** Its first message. Its tokens will be logged out in their order. */
export interface KnowerWork {
  readonly address: string;
  readonly tokens: readonly string[];
}

/** How often it looks, ms: so much later than in truth a logout may seem known. */
const LOOK_EVERY_MS = 2;
/** How many of the next tokens it looks at. */
const LOOKED_AT = 8;

let validator: Validator | undefined;
let tokens: readonly string[] = [];
/** By the monotonic clock of the machine, which its processes share, ms; undefined: not known yet. */
let knownMs: (number | undefined)[] = [];

async function begin(work: KnowerWork): Promise<'ready'> {
  validator = createValidator({ address: work.address, source: 'feed', maxStaleness: '10s' });
  await validator.ready('60s');
  tokens = work.tokens;
  knownMs = tokens.map(() => undefined);
  // Pongs are read between them.
  for (const token of tokens) {
    while (!validator.validateNow(token)) await sleep(LOOK_EVERY_MS);
    await new Promise(setImmediate);
  }
  return 'ready';
}

let next = 0;

/** Looks at the next tokens that are not known yet. One that comes late keeps no other from being looked at. */
function look(): void {
  const nowMs = machineMs();
  for (let [index, looked] = [next, 0]; index < tokens.length && looked < LOOKED_AT; index++) {
    if (knownMs[index] !== undefined) continue;
    looked++;
    // Without an answer at once nothing is known.
    if (validator?.validateNow(tokens[index] ?? '')?.active === false) knownMs[index] = nowMs;
  }
  while (next < tokens.length && knownMs[next] !== undefined) next++;
}

answering(async (request: KnowerWork | 'look' | 'report') => {
  if (request === 'report') return knownMs;
  if (request !== 'look') return begin(request);
  setInterval(look, LOOK_EVERY_MS);
  return undefined;
});
