// The section of tokens that a process has never seen: the rate of `validateNow` beside that of bare signature checks.

import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import jwt from 'jsonwebtoken';
import type { Validator } from '../../src/validator/index.js';
import { median } from '../figures.js';
import { ownCpuMs } from '../machine/usage.js';
import type { Subject } from '../validator/subject.js';
import { atLeast, type Figure, grouped } from './figure.js';

export interface NeverSeenScale {
  readonly tokens: number;
  /** Rounds until V8 has optimized what they run. */
  readonly warmRounds: number;
  readonly rounds: number;
}

/**
 * The checks. `bare`: `crypto.verify` with a key object, of a signature in the form of tokens (RFC 7518, section 3.4).
 * `der`: the same in the form of OpenSSL, for which Node 24 needs two thirds of the time. `library`: jsonwebtoken, which
 * converts to that form, and by which the validator checks signatures.
 */
const WAYS = ['bare', 'der', 'library', 'validator'] as const;
type Way = (typeof WAYS)[number];
type Check = () => boolean;

/** Makes the checks of a text, each of which verifies one signature. */
function checksBy(validator: Validator): (token: string) => Readonly<Record<Way, Check>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPublicKey(privateKey);
  const bareKey = { key, dsaEncoding: 'ieee-p1363' } as const;
  const options: jwt.VerifyOptions = { algorithms: ['ES256'] };
  return (token) => {
    const unsigned = token.slice(0, token.lastIndexOf('.'));
    const input = Buffer.from(unsigned);
    const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const der = sign('sha256', input, privateKey);
    const other = Buffer.from(`${unsigned}.${signature.toString('base64url')}`);
    const bytes = Buffer.from(token);
    return {
      bare: () => verify('sha256', input, bareKey, signature),
      der: () => verify('sha256', input, key, der),
      library: () => typeof jwt.verify(other.toString('latin1'), key, options) === 'object',
      validator: () => validator.validateNow(bytes.toString('latin1'))?.active === true,
    };
  };
}

/** All checks of the same texts in turn, by the processor time of this process. */
export async function neverSeen(subject: Subject, scale: NeverSeenScale): Promise<Figure[]> {
  const { tokens, warmRounds } = scale;
  const allRounds = warmRounds + scale.rounds;
  const validator = await subject.validator({ source: 'feed', maxStaleness: '1m' });
  const checksOf = checksBy(validator);
  const perS: Record<Way, number[]> = { bare: [], der: [], library: [], validator: [] };
  for (let round = 0; round < allRounds; round++) {
    const texts = subject.tokens(tokens).map(checksOf);
    // Pongs are read only between rounds.
    await sleep(50);
    for (const way of WAYS) {
      const startMs = ownCpuMs();
      const good = texts.filter((checks) => checks[way]()).length;
      const tookMs = ownCpuMs() - startMs;
      if (good < tokens) throw new Error('a good token was not called active');
      if (round >= warmRounds) perS[way].push((tokens / tookMs) * 1000);
    }
  }
  const { asks, decided } = validator.state();
  const all = allRounds * tokens;
  if (asks > 0 || decided < all) throw new Error('the feed did not decide on each token');
  await validator.close();

  const shareOf = (way: Way): number =>
    median(perS.validator.map((rate, round) => rate / (perS[way][round] ?? Number.NaN)));
  const share = shareOf('bare');
  const rates = `${grouped(median(perS.validator))} a core s, crypto.verify ${grouped(median(perS.bare))}`;
  const others = `in DER ${shareOf('der').toFixed(2)}, of jsonwebtoken ${shareOf('library').toFixed(2)}`;
  return [
    {
      what: 'validateNow of tokens never seen before, ES256, of crypto.verify of the same texts; no call',
      measured: `${share.toFixed(2)} (${rates}; ${others})`,
      goal: atLeast(0.8, share, '0.8'),
    },
  ];
}
