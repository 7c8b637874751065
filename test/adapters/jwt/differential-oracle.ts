// The second opinion on tokens: jose with our policy, our own claims in other words, and where the two may differ.

import type { KeyObject } from 'node:crypto';
import { errors, type JWTHeaderParameters, jwtVerify } from 'jose';
import { GOOD_SIDS, goodClaims, type Kind, NOW_S, PARTIES, TYP } from './differential-claims.js';
import { verifiers } from './differential-tokens.js';

/** jose's verdict, and after it that on our own claims: `good`, or some word for why not. */
export async function oracle(token: string, kind: Kind): Promise<string> {
  const ring = verifiers(kind);
  const getKey = ({ kid }: JWTHeaderParameters): KeyObject => {
    const key = ring.find((each) => each.kid === kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.verify;
  };
  try {
    const named = JSON.parse(text(token, 0).replace(/^\ufeff/, '')).kid;
    const only = ring.find(({ kid }) => kid === named)?.algorithm;
    const { payload } = await jwtVerify(token, getKey, {
      algorithms: only ? [only] : [],
      typ: TYP[kind],
      issuer: PARTIES.issuer,
      audience: [...PARTIES.audience],
      requiredClaims: Object.keys(goodClaims(kind)),
      currentDate: new Date(NOW_S * 1000),
    });
    return ownClaims(payload, kind) ? 'good' : 'our own claims';
  } catch (error) {
    return error instanceof errors.JOSEError ? error.code : 'no JWT';
  }
}

function ownClaims(payload: Readonly<Record<string, unknown>>, kind: Kind): boolean {
  const { token_type: type, sub, sid, gen, jti, iat, exp, nbf, aud, adopted } = payload;
  return (
    type === kind &&
    isName(sub) &&
    GOOD_SIDS.some((good) => good === sid) &&
    isWhole(gen, 2 ** 31 - 1) &&
    jti === `${kind === 'access' ? 'a' : 'r'}${sid}.${gen}` &&
    // The milliseconds of a date must fit in the 48 bits of a UUIDv7.
    [iat, exp, ...(nbf === undefined ? [] : [nbf])].every((date) => isWhole(date, Math.floor((2 ** 48 - 1) / 1000))) &&
    [aud].flat().every((each) => typeof each === 'string') &&
    (adopted === undefined || adopted === true) &&
    levels(payload) <= 16
  );
}

const isWhole = (value: unknown, most: number): boolean =>
  typeof value === 'number' && Math.floor(value) === value && value >= 0 && value <= most;

/** Whether UTF-8 gives the text back as it was, in 1 to 255 bytes. */
function isName(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value);
  return bytes.length >= 1 && bytes.length <= 255 && bytes.toString() === value && !value.includes('\ufffd');
}

const levels = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0;

const text = (token: string, part: 0 | 1): string => Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();

/** Where we refuse what jose takes, on purpose. Nothing may be listed the other way round. */
export const STRICTER: readonly { readonly why: string; holds(token: string, kind: Kind): boolean }[] = [
  {
    why: 'a token has at most 8 KiB',
    holds: (token) => token.length > 8192,
  },
  {
    why: 'each part has one spelling alone: jose drops the spare bits of the last character of base64url',
    holds: (token) => token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part),
  },
  {
    why: 'JSON has no byte order mark (RFC 8259, section 8.1): jose drops it',
    holds: (token) => text(token, 0).startsWith('\ufeff') || text(token, 1).startsWith('\ufeff'),
  },
  {
    why: 'no extension is understood: jose knows `b64` (RFC 7797)',
    holds: (token) => Object.hasOwn(JSON.parse(text(token, 0)), 'crit'),
  },
  {
    why: '`typ` is compared to the letter: jose takes `application/at+jwt` and other case (RFC 7515, section 4.1.9)',
    holds: (token, kind) => JSON.parse(text(token, 0)).typ !== TYP[kind],
  },
];
