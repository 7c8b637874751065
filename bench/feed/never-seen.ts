// The section of tokens that a process has never seen: the rate of `validateNow` beside that of a bare signature check.

import { createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../figures.js';
import { ownCpuMs } from '../machine/usage.js';
import type { Subject } from '../validator/subject.js';
import { atLeast, type Figure, grouped } from './figure.js';

const TOKENS_A_ROUND = 1_000;

/** Bare checks and validations of the same signatures in turn, by the processor time of this process. */
export async function neverSeen(subject: Subject, rounds: number): Promise<Figure[]> {
  const validator = await subject.validator({ source: 'feed', maxStaleness: '1m' });
  const key = { key: createPublicKey({ key: subject.publicKey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
  const [bareS, feedS]: [number[], number[]] = [[], []];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const tokens = subject.tokens(TOKENS_A_ROUND);
    const parts = tokens.map((token) => {
      const dot = token.lastIndexOf('.');
      return [Buffer.from(token.slice(0, dot)), Buffer.from(token.slice(dot + 1), 'base64url')] as const;
    });
    const bytes = tokens.map((token) => Buffer.from(token, 'latin1'));
    // Pongs are read only between rounds.
    await sleep(50);
    let good = 0;
    const startMs = ownCpuMs();
    for (const [input, signature] of parts) if (verify('sha256', input, key, signature)) good++;
    const betweenMs = ownCpuMs();
    for (const each of bytes) if (validator.validateNow(each.toString('latin1'))?.active) good++;
    const endMs = ownCpuMs();
    if (good !== 2 * TOKENS_A_ROUND) throw new Error('a good token was not called active');
    if (round === 0) continue;
    bareS.push((TOKENS_A_ROUND / (betweenMs - startMs)) * 1000);
    feedS.push((TOKENS_A_ROUND / (endMs - betweenMs)) * 1000);
  }
  const { asks, decided } = validator.state();
  if (asks > 0 || decided < (rounds + 1) * TOKENS_A_ROUND) throw new Error('the feed did not decide on each token');
  await validator.close();
  const ratio = median(feedS.map((perS, round) => perS / (bareS[round] ?? Number.NaN)));
  const rates = `${grouped(median(feedS))} a core s, crypto.verify ${grouped(median(bareS))}`;
  return [
    {
      what: 'validateNow of tokens never seen before, ES256, of crypto.verify of the same signatures; no call',
      measured: `${ratio.toFixed(2)} (${rates})`,
      goal: atLeast(0.8, ratio, '0.8'),
    },
  ];
}
