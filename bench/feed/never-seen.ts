// The section of tokens that a process has never seen: the rate of `validateNow` beside that of a bare signature check.

import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../figures.js';
import { ownCpuMs } from '../machine/usage.js';
import type { Subject } from '../validator/subject.js';
import { atLeast, type Figure, grouped } from './figure.js';

const TOKENS_A_ROUND = 1_000;

/**
 * Bare checks and validations of the same texts in turn, by the processor time of this process. The bare check is the
 * cheapest form of `crypto.verify`: a key object, and a signature in DER. On Node 24 a check with `dsaEncoding`, as the
 * signatures of tokens need it, takes half as long again.
 */
export async function neverSeen(subject: Subject, rounds: number): Promise<Figure[]> {
  const validator = await subject.validator({ source: 'feed', maxStaleness: '1m' });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [bareS, feedS]: [number[], number[]] = [[], []];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const tokens = subject.tokens(TOKENS_A_ROUND);
    const parts = tokens.map((token) => {
      const input = Buffer.from(token.slice(0, token.lastIndexOf('.')));
      return [input, sign('sha256', input, privateKey)] as const;
    });
    const bytes = tokens.map((token) => Buffer.from(token, 'latin1'));
    // Pongs are read only between rounds.
    await sleep(50);
    let good = 0;
    const startMs = ownCpuMs();
    for (const [input, signature] of parts) if (verify('sha256', input, publicKey, signature)) good++;
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
      what: 'validateNow of tokens never seen before, ES256, of crypto.verify of the same texts; no call',
      measured: `${ratio.toFixed(2)} (${rates})`,
      goal: atLeast(0.8, ratio, '0.8'),
    },
  ];
}
