// The section of tokens that a process has never seen: the rate of `validateNow` beside that of bare signature checks.

import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import jwt from 'jsonwebtoken';
import { median } from '../figures.js';
import { ownCpuMs } from '../machine/usage.js';
import type { Subject } from '../validator/subject.js';
import { atLeast, type Figure, grouped } from './figure.js';

const TOKENS_A_ROUND = 1_000;
/** Rounds until V8 has optimized what they run. */
const WARM_ROUNDS = 5;

/** A text signed by the key of the bare checks: its input, its signature in both forms, and the whole token. */
interface Signed {
  readonly input: Buffer;
  /** As tokens hold it: both numbers, one after the other (RFC 7518, section 3.4; IEEE P1363). */
  readonly plain: Buffer;
  readonly der: Buffer;
  readonly token: string;
}

/**
 * Bare checks and validations of the same texts in turn, by the processor time of this process. The bare check is
 * `crypto.verify` with a key object, of a signature in the form of tokens. DER is the form of OpenSSL, in which Node 24
 * needs two thirds of the time. jsonwebtoken converts to it, and is the check within a validation.
 */
export async function neverSeen(subject: Subject, rounds: number): Promise<Figure[]> {
  const validator = await subject.validator({ source: 'feed', maxStaleness: '1m' });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // As a verifier has it. A key that was generated shares memory with its private half.
  const publicKey = createPublicKey(createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }));
  const plainKey = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const options: jwt.VerifyOptions = { algorithms: ['ES256'] };
  const signed = (text: string): Signed => {
    const unsigned = text.slice(0, text.lastIndexOf('.'));
    const input = Buffer.from(unsigned);
    const plain = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return {
      input,
      plain,
      der: sign('sha256', input, privateKey),
      token: `${unsigned}.${plain.toString('base64url')}`,
    };
  };
  const ways: Readonly<Record<'plain' | 'der' | 'library' | 'validator', (each: Signed, bytes: Buffer) => boolean>> = {
    plain: ({ input, plain }) => verify('sha256', input, plainKey, plain),
    der: ({ input, der }) => verify('sha256', input, publicKey, der),
    library: ({ token }) => typeof jwt.verify(token, publicKey, options) === 'object',
    validator: (_, bytes) => validator.validateNow(bytes.toString('latin1'))?.active === true,
  };
  const perS = { plain: [] as number[], der: [] as number[], library: [] as number[], validator: [] as number[] };
  const names = Object.keys(ways) as (keyof typeof ways)[];

  for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
    const tokens = subject.tokens(TOKENS_A_ROUND);
    const texts = tokens.map((token) => [signed(token), Buffer.from(token, 'latin1')] as const);
    // Pongs are read only between rounds.
    await sleep(50);
    for (const name of names) {
      const isGood = ways[name];
      let good = 0;
      const startMs = ownCpuMs();
      for (const [each, bytes] of texts) if (isGood(each, bytes)) good++;
      const tookMs = ownCpuMs() - startMs;
      if (good !== TOKENS_A_ROUND) throw new Error('a good token was not called active');
      if (round >= WARM_ROUNDS) perS[name].push((TOKENS_A_ROUND / tookMs) * 1000);
    }
  }
  const { asks, decided } = validator.state();
  if (asks > 0 || decided < (WARM_ROUNDS + rounds) * TOKENS_A_ROUND)
    throw new Error('the feed did not decide on each token');
  await validator.close();

  const shareOf = (name: keyof typeof ways): number =>
    median(perS.validator.map((rate, round) => rate / (perS[name][round] ?? Number.NaN)));
  const share = shareOf('plain');
  const others = `of it in DER ${shareOf('der').toFixed(2)}, of jsonwebtoken's verify ${shareOf('library').toFixed(2)}`;
  const rates = `${grouped(median(perS.validator))} a core s, crypto.verify ${grouped(median(perS.plain))}`;
  return [
    {
      what: 'validateNow of tokens never seen before, ES256, of crypto.verify of the same texts; no call',
      measured: `${share.toFixed(2)} (${rates}; ${others})`,
      goal: atLeast(0.8, share, '0.8'),
    },
  ];
}
