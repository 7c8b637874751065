// `npm run bench:memory`: the memory of a service with a full cache of verified tokens, and of one without a cache.
// Both get the same calls.

import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';
import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { memoryMiBOf } from '../machine/usage.js';
import type { Child } from '../servers/child.js';
import { startServe } from '../servers/latchkey.js';
import { Lab } from '../speed/lab.js';
import { tokenOf } from '../speed/tokens.js';

const TOKENS = 20_000;
const TOKENS_A_CALL = 500;
const PASSES = 3;
const COLLECTIONS = 4;
const KIB_IN_MIB = 1024;
const COLLECT = new URL('./collect.js', import.meta.url).href;

const validate = (client: AuthServiceClient, accessTokens: string[]): Promise<number> =>
  new Promise((resolve, reject) =>
    client.validateTokens({ accessTokens, includeClaims: false }, (error, { results = [] } = { results: [] }) =>
      error ? reject(error) : resolve(results.filter(({ validation }) => validation?.active).length),
    ),
  );

/** What stays when the garbage is gone, MiB. */
async function settled({ pid }: Child): Promise<number> {
  for (let time = 0; time < COLLECTIONS; time++) {
    process.kill(pid, 'SIGUSR2');
    await sleep(1_000);
  }
  return memoryMiBOf(pid);
}

/** @returns before any call, and after the tokens have been asked about several times, MiB */
async function measure(lab: Lab, tokens: readonly string[], remembered: number): Promise<[number, number]> {
  const store = await lab.store('redis', lab.sizes.few);
  const env = { ...lab.keys.ES256.env, ...store.env, VERIFIED_TOKENS: `${remembered}` };
  const options = { NODE_OPTIONS: `--import=${COLLECT}` };
  const service = await startServe({ folder: lab.folder, env: { ...env, ...options } });
  const client = new AuthServiceClient(`${service.host}:${service.port}`, credentials.createInsecure());
  try {
    const before = await settled(service);
    let active = 0;
    for (let pass = 0; pass < PASSES; pass++) {
      for (let from = 0; from < tokens.length; from += TOKENS_A_CALL) {
        active += await validate(client, tokens.slice(from, from + TOKENS_A_CALL));
      }
    }
    if (active !== PASSES * tokens.length) throw new Error('not every token was said to be active');
    return [before, await settled(service)];
  } finally {
    client.close();
    await service.stop();
  }
}

leaveServerCore();
endWithChildren();
const lab = await Lab.open({ only: undefined, rounds: 1, seconds: 1, quick: true, peer: false });
try {
  const tokens = lab.fresh(TOKENS).map((session) => tokenOf('access', session, lab.keys.ES256.keys));
  const characters = tokens.reduce((sum, { length }) => sum + length, 0) / tokens.length;
  process.stdout.write(`${TOKENS} tokens of ${characters.toFixed(0)} characters, each asked about ${PASSES} times\n\n`);
  process.stdout.write('| VERIFIED_TOKENS | Before, MiB | After, MiB | KiB a token |\n|---|---|---|---|\n');
  for (const remembered of [0, TOKENS]) {
    const [before, after] = await measure(lab, tokens, remembered);
    const each = ((after - before) * KIB_IN_MIB) / TOKENS;
    process.stdout.write(`| ${remembered} | ${before.toFixed(0)} | ${after.toFixed(0)} | ${each.toFixed(2)} |\n`);
  }
} finally {
  await lab.close();
}
