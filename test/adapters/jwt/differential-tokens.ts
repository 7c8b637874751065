// The tokens of the differential fuzz: their keys and headers, and how tokens are grown and mutated at random.

import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { keyFromPem } from '../../../src/adapters/jwt/key-pair.js';
import { keyFromSecret, type SigningKey } from '../../../src/adapters/jwt/signing-key.js';
import { verificationKeyOf } from '../../support/verification-key.js';
import { change, encode, type Kind, payloadsOf, TYP } from './differential-claims.js';

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();
export const es256 = keyFromPem(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
export const rs256 = keyFromPem(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
export const hs256 = keyFromSecret('a secret for tests alone, of more than 32 bytes');

/** One name, one algorithm, one key: what a signing key is for one kind of token. */
export interface Signer {
  readonly kid: string;
  readonly algorithm: SigningKey['algorithm'];
  readonly sign: KeyObject;
  readonly verify: KeyObject;
}

const signerOf = (key: SigningKey, kind: Kind): Signer =>
  kind === 'access'
    ? { ...key, verify: verificationKeyOf(key) }
    : { kid: key.refreshKid, algorithm: 'HS256', sign: key.refreshSecret, verify: key.refreshSecret };

export const verifiers = (kind: Kind): readonly Signer[] => [es256, rs256, hs256].map((key) => signerOf(key, kind));
const everySigner = [...verifiers('access'), ...verifiers('refresh')];

/** Signs whatever it is given, as the key's owner would. */
function sign(input: string, { algorithm, sign: key }: Signer): string {
  if (algorithm === 'HS256') return createHmac('sha256', key).update(input).digest('base64url');
  const signer = createSign('sha256').update(input);
  return signer.sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

const ODD_TYPES = ['JWT', 'at+jwt', 'rt+jwt', 'AT+JWT', 'application/at+jwt', 'application/rt+jwt', ''];
const headersOf = (signer: Signer, kind: Kind): fc.Arbitrary<string> => {
  const base = { alg: signer.algorithm, typ: TYP[kind], kid: signer.kid };
  const one = <T>(values: readonly T[], put: (value: T) => object) =>
    fc.constantFrom(...values).map((value) => encode({ ...base, ...put(value) }));
  return fc.oneof(
    { weight: 24, arbitrary: fc.constant(encode(base)) },
    { weight: 6, arbitrary: change(base, ['crit', 'jwk', 'jku', 'x5u', 'b64', 'zip', 'cty']).map(encode) },
    { weight: 2, arbitrary: one(['none', 'NONE', 'HS256', 'ES256', 'RS256', 'PS256', 'HS512'], (alg) => ({ alg })) },
    { weight: 2, arbitrary: one([...everySigner.map(({ kid }) => kid), 'r', 'r.', ''], (kid) => ({ kid })) },
    { weight: 1, arbitrary: one(ODD_TYPES, (typ) => ({ typ })) },
    { weight: 1, arbitrary: one([['b64'], ['exp'], []], (crit) => ({ crit, b64: true })) },
    { weight: 1, arbitrary: fc.constant(encode(`\ufeff${JSON.stringify(base)}`)) },
  );
};

const signed = (kind: Kind): fc.Arbitrary<string> =>
  fc.constantFrom(...verifiers(kind)).chain((signer) => {
    const hands = fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...everySigner) },
      { weight: 6, arbitrary: fc.constant(signer) },
    );
    return fc.tuple(headersOf(signer, kind), payloadsOf(kind), hands).map(([header, payload, hand]) => {
      const input = `${header}.${payload}`;
      return `${input}.${sign(input, hand)}`;
    });
  });

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same bytes with another last character, where the signature's length leaves it spare bits. */
const respelt = (token: string): string => token.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(token.slice(-1)) ^ 1);

const character = fc.constantFrom(...'ABab01-_=.+/ \n\u0000é');
const mutated = (token: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(token, fc.nat(), fc.constantFrom('set', 'insert', 'delete', 'cut', 'double', 'respell'), character)
    .map(([text, where, how, letter]) => {
      const at = where % (text.length + 1);
      if (how === 'set') return text.slice(0, at) + letter + text.slice(at + 1);
      if (how === 'insert') return text.slice(0, at) + letter + text.slice(at);
      if (how === 'delete') return text.slice(0, at) + text.slice(at + 1);
      if (how === 'respell') return respelt(text);
      return how === 'cut' ? text.slice(0, at) : `${text}.${text}`;
    });

/** A token, and the kind that it is taken for: mostly its own. */
export const cases: fc.Arbitrary<readonly [token: string, taken: Kind]> = fc
  .constantFrom<Kind>('access', 'refresh')
  .chain((kind) =>
    fc.tuple(
      fc.oneof(
        { weight: 6, arbitrary: signed(kind) },
        { weight: 3, arbitrary: mutated(signed(kind)) },
        { weight: 1, arbitrary: fc.string() },
      ),
      fc.oneof(
        { weight: 19, arbitrary: fc.constant(kind) },
        { weight: 1, arbitrary: fc.constantFrom('access' as const, 'refresh' as const) },
      ),
    ),
  );
