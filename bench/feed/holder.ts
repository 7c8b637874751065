// A process with one validator by the feed: reports the memory that it takes, and how long a stream takes to catch up.

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createValidator } from '../../src/validator/create-validator.js';
import type { Validator } from '../../src/validator/index.js';
import { answering } from './helper.js';

export interface HolderReport {
  /** Of the heap and of buffers, once the garbage is gone, bytes. */
  readonly bytes: number;
  readonly revocations: number;
}

/** Asks for a report; with a number, once that many revocations are held. */
export interface HolderQuestion {
  readonly revocations: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const COLLECTIONS = 4;
const LOOK_MS = 5;

let address = '';
let validator: Validator | undefined;

async function follow(): Promise<Validator> {
  validator = createValidator({ address, source: 'feed' });
  await validator.ready('60s');
  return validator;
}

async function report({ revocations }: HolderQuestion): Promise<HolderReport> {
  const following = validator ?? (await follow());
  while (following.state().revocations < revocations) await sleep(LOOK_MS);
  for (let time = 0; time < COLLECTIONS; time++) {
    await sleep(100);
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external, revocations: following.state().revocations };
}

/** @returns how long another stream takes until it has caught up, ms */
async function catchUp(): Promise<number> {
  await validator?.close();
  const startMs = performance.now();
  await follow();
  return performance.now() - startMs;
}

answering(async (request: { readonly address: string } | HolderQuestion | 'catch up') => {
  if (request === 'catch up') return catchUp();
  if ('revocations' in request) return report(request);
  address = request.address;
  await follow();
  return 'ready';
});
