// The rows of the bench of the validator that one process measures: what is measured, and how.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { credentials } from '@grpc/grpc-js';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';
import type { ValidatorOptions } from '../../src/validator/index.js';
import { ownCpuMs } from '../machine/usage.js';
import { type Calls, closedLoop, type Rate, rateOf, USUAL_CALLS } from './rate.js';
import { learn, type Subject } from './subject.js';

const MIB = 1024 * 1024;

/** `validateNow` of remembered tokens in turn, each text made anew from the bytes of a request. @returns how many a second of one core */
export async function now(subject: Subject, count: number, ms: number): Promise<number> {
  const validator = await subject.validator({ maxStaleness: '1h' });
  const tokens = subject.tokens(count);
  await learn(validator, tokens);
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'));
  let calls = 0;
  const run = (untilMs: number): void => {
    while (performance.now() < untilMs) {
      for (const each of bytes) if (validator.validateNow(each.toString('latin1'))?.active) calls++;
    }
  };
  run(performance.now() + ms / 4);
  calls = 0;
  const own = ownCpuMs();
  run(performance.now() + ms);
  const perCoreS = (calls / (ownCpuMs() - own)) * 1000;
  await validator.close();
  return perCoreS;
}

/** The same tokens by ValidateToken with gRPC's client, as many callers at once. */
export async function client(subject: Subject, count: number): Promise<Rate> {
  const tokens = subject.tokens(count);
  const grpc = new AuthServiceClient(subject.address, credentials.createInsecure());
  let next = 0;
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const accessToken = tokens[next++ % tokens.length] ?? '';
      grpc.validateToken({ accessToken, includeClaims: false }, (error, response) =>
        response?.active ? resolve() : reject(error ?? new Error('not active')),
      );
    });
  const rate = await rateOf(subject, (calls) => closedLoop(128, calls, call));
  grpc.close();
  return rate;
}

/** Strict callers without pause, each with tokens of its own. */
export async function strict(
  subject: Subject,
  count: number,
  source: ValidatorOptions['source'] = 'answers',
  calls: Calls = USUAL_CALLS,
): Promise<Rate & { readonly batch: number; readonly asks: number }> {
  const validator = await subject.validator({ source });
  const tokens = subject.tokens(count);
  await learn(validator, tokens);
  const callers = 256;
  const turns = new Array<number>(callers).fill(0);
  const each = Math.floor(tokens.length / callers);
  const call = async (caller: number): Promise<void> => {
    const turn = turns[caller] ?? 0;
    turns[caller] = turn + 1;
    const result = await validator.validate(tokens[caller * each + (turn % each)] ?? '', { consistency: 'strict' });
    if (!result.active) throw new Error('not active');
  };
  const rate = await rateOf(subject, (count) => closedLoop(callers, count, call), calls);
  const { calls: made, asks } = validator.state();
  await validator.close();
  return { ...rate, batch: asks / made, asks };
}

/** What remembered tokens take; under HS256, whose tokens are soon made. @returns bytes a token */
export async function memory(subject: Subject, count: number): Promise<{ bytes: number; chars: number; held: number }> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const validator = await subject.validator({ maxStaleness: '1h', maxRemembered: count });
  const part = 5_000;
  let chars = 0;
  await learn(validator, subject.tokens(100, 'HS256'));
  collect();
  const before = process.memoryUsage().heapUsed;
  // More than it may remember, so that the bound is reached.
  for (let made = 0; made < count * 1.1; made += part) {
    const tokens = subject.tokens(part, 'HS256');
    chars = tokens[0]?.length ?? 0;
    await learn(validator, tokens);
  }
  collect();
  const { remembered } = validator.state();
  const bytes = (process.memoryUsage().heapUsed - before) / remembered;
  await validator.close();
  return { bytes, chars, held: (bytes * remembered) / MIB };
}
