// Owns the differential fuzz of the codec: tokens grown and mutated at random, judged by us and by jose with one policy.

import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { errors, type JWTHeaderParameters, jwtVerify } from 'jose';
import { JwtKeys } from '../../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem, keyFromSecret, type SigningKey } from '../../../src/adapters/jwt/signing-key.js';
import { isShallow } from '../../../src/core/claims.js';
import { TokenRefused } from '../../../src/core/errors.js';
import { MAX_GENERATION, MAX_NUMERIC_DATE } from '../../../src/core/policy.js';
import { readToken } from '../../../src/core/read-token.js';
import { isSubject } from '../../../src/core/session.js';
import { timing } from '../../../src/core/token.js';
import { POLICY } from '../../support/world.js';

/** How many tokens are tried; FUZZ_CASES sets another number for a long run, SEED repeats one. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 20_000);
const SEED = process.env['SEED'];
/** No single token may hold the process up for longer than this, ms. */
const MOST_MS = 5;

const NOW_S = 1_800_000_000;
const policy = { ...POLICY, issuer: 'https://id.example', audience: ['api', 'web'] };
const crypto = { randomBytes: () => new Uint8Array(10), sha256: () => new Uint8Array(32) };
const sec = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();
const es256 = keyFromPem(sec(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
const rs256 = keyFromPem(sec(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
const hs256 = keyFromSecret('a secret for tests alone, of more than 32 bytes');
const ring = [es256, rs256, hs256];
const keys = new JwtKeys(es256, [rs256, hs256]);

const SID = '01a20377-79de-7f89-969c-a4e3d0e9a198';
const GOOD = {
  token_type: 'access',
  iss: policy.issuer,
  aud: 'api',
  sub: 'alice',
  sid: SID,
  gen: 3,
  jti: `a${SID}.3`,
  iat: NOW_S - 10,
  exp: NOW_S + 60,
};

/** Our verdict: `good`, or the problem. */
function ours(token: string): string {
  try {
    const read = readToken(keys.open(token), 'access', policy, crypto);
    return timing(read, { ...policy, sessionMaxMs: 1e14, accessTtlMs: 1e14 }, NOW_S * 1000) ?? 'good';
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    throw error;
  }
}

const isDate = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMERIC_DATE;

/** jose's verdict with the same policy, and after it, in words of their own, the claims that only we know. */
async function oracle(token: string): Promise<string> {
  const getKey = ({ kid }: JWTHeaderParameters): KeyObject => {
    const key = ring.find((each) => each.kid === kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.verify;
  };
  try {
    const algorithm = (header: string): SigningKey['algorithm'] | undefined =>
      ring.find(({ kid }) => kid === JSON.parse(Buffer.from(header, 'base64url').toString()).kid)?.algorithm;
    const only = algorithm(token.split('.')[0] ?? '');
    const { payload } = await jwtVerify(token, getKey, {
      algorithms: only ? [only] : [],
      typ: 'at+jwt',
      issuer: policy.issuer,
      audience: policy.audience,
      requiredClaims: Object.keys(GOOD),
      currentDate: new Date(NOW_S * 1000),
    });
    const { token_type: type, sub, sid, gen, jti, iat, exp, nbf, aud } = payload as Record<string, unknown>;
    const mine =
      type === 'access' &&
      isSubject(sub) &&
      sid === SID &&
      typeof gen === 'number' &&
      Number.isInteger(gen) &&
      gen >= 0 &&
      gen <= MAX_GENERATION &&
      jti === `a${SID}.${gen}` &&
      [iat, exp, ...(nbf === undefined ? [] : [nbf])].every(isDate) &&
      [aud].flat().every((each) => typeof each === 'string') &&
      isShallow(payload);
    return mine ? 'good' : 'our own claims';
  } catch (error) {
    return error instanceof errors.JOSEError ? error.code : 'no JWT';
  }
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toString('base64url');

/** Signs whatever it is given, as the key's owner would. */
function sign(input: string, { algorithm, sign: key }: SigningKey): string {
  if (algorithm === 'HS256') return createHmac('sha256', key).update(input).digest('base64url');
  const signer = createSign('sha256').update(input);
  return signer.sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

const oddJson = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '0', 0, -1, 1.5, 1e300, [], {}, [[]], 'none', '\ud800', 2 ** 31, 2 ** 53),
  fc.jsonValue({ maxDepth: 3 }),
);
const change = <T extends object>(base: T, more: readonly string[]): fc.Arbitrary<Record<string, unknown>> => {
  const names = [...Object.keys(base), ...more];
  const one = fc.tuple(fc.constantFrom(...names), fc.option(oddJson, { nil: undefined, freq: 4 }));
  return fc.array(one, { maxLength: 2 }).map((changes) => ({ ...base, ...Object.fromEntries(changes) }));
};

const payloads = fc.oneof(
  { weight: 8, arbitrary: change(GOOD, ['nbf', 'role', '__proto__', 'constructor', 'cnf']).map(encode) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        exp: fc.integer({ min: NOW_S - 5, max: NOW_S + 5 }),
        nbf: fc.integer({ min: NOW_S - 5, max: NOW_S + 5 }),
      })
      .map((times) => encode({ ...GOOD, ...times })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[]', 'null', '1', '"x"', '', '{', '{"exp":1,"exp":2}', '['.repeat(4000)).map(encode),
  },
);
const headersOf = (key: SigningKey): fc.Arbitrary<string> => {
  const base = { alg: key.algorithm, typ: 'at+jwt', kid: key.kid };
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(encode(base)) },
    { weight: 3, arbitrary: change(base, ['crit', 'jwk', 'jku', 'x5u', 'b64', 'zip', 'cty']).map(encode) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('none', 'HS256', 'ES256', 'RS256', 'PS256').map((alg) => encode({ ...base, alg })),
    },
    { weight: 1, arbitrary: fc.constantFrom(key.refreshKid, 'r', '').map((kid) => encode({ ...base, kid })) },
  );
};
const signed = fc.constantFrom(...ring).chain((key) =>
  fc.tuple(headersOf(key), payloads, fc.constantFrom(...ring, key, key, key, key)).map(([header, payload, signer]) => {
    const input = `${header}.${payload}`;
    return `${input}.${sign(input, signer)}`;
  }),
);
const character = fc.constantFrom(...'ABab01-_=.+/ \n\u0000é');
const mutated = fc
  .tuple(signed, fc.nat(), fc.constantFrom('set', 'insert', 'delete', 'cut', 'double'), character)
  .map(([token, where, how, letter]) => {
    const at = where % (token.length + 1);
    if (how === 'set') return token.slice(0, at) + letter + token.slice(at + 1);
    if (how === 'insert') return token.slice(0, at) + letter + token.slice(at);
    if (how === 'delete') return token.slice(0, at) + token.slice(at + 1);
    return how === 'cut' ? token.slice(0, at) : `${token}.${token}`;
  });
const tokens = fc.oneof(
  { weight: 6, arbitrary: signed },
  { weight: 3, arbitrary: mutated },
  { weight: 1, arbitrary: fc.string() },
);

/** Where we refuse what jose takes, on purpose. Nothing may be listed the other way round. */
const STRICTER: readonly { readonly why: string; holds(token: string): boolean }[] = [
  {
    why: 'each part has one spelling alone: jose drops the spare bits of the last character of base64url',
    holds: (token) => token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part),
  },
  {
    why: '`typ` is compared to the letter: jose takes `application/at+jwt` and other case (RFC 7515, section 4.1.9)',
    holds: (token) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).typ !== 'at+jwt',
  },
];

describe('our codec and jose', function () {
  this.timeout(3_600_000);

  it(`agree on every token, but for what is listed (${CASES} tokens)`, async () => {
    const slow: number[] = [];
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        const beganMs = performance.now();
        const verdict = ours(token);
        const tookMs = performance.now() - beganMs;
        if (tookMs > MOST_MS && again(token) > MOST_MS) slow.push(tookMs);
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        const theirs = await oracle(token);
        const agreed = (verdict === 'good') === (theirs === 'good');
        const listed = theirs === 'good' && STRICTER.some(({ holds }) => holds(token));
        if (!agreed && !listed) throw new Error(`we say ${verdict}, jose says ${theirs}`);
      }),
      { numRuns: CASES, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
    expect(slow, 'ms').to.deep.equal([]);
    // Awake: every problem that a token alone can have was met, and so was the good one.
    const problems = ['good', 'MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'WRONG_TYPE', 'MISSING_CLAIM', 'EXPIRED'];
    expect([...seen.keys()]).to.include.members([...problems, 'NOT_YET_VALID', 'WRONG_ISSUER', 'WRONG_AUDIENCE']);
  });
});

/** The time of a second try: a pause of the machine is not the token's fault. */
function again(token: string): number {
  const beganMs = performance.now();
  ours(token);
  return performance.now() - beganMs;
}
