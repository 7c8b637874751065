// Tests that signatures are made and checked as they must be, with jose as an oracle of its own.

import {
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { calculateJwkThumbprint, exportJWK, jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';
import { JwtKeys } from '../../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem } from '../../../src/adapters/jwt/key-pair.js';
import { keyFromSecret, type SigningKey } from '../../../src/adapters/jwt/signing-key.js';
import { TokenRefused } from '../../../src/core/token/errors.js';
import { verificationKeyOf } from '../../support/verification-key.js';

const SECRET = 'a secret for tests alone, of more than 32 bytes';
const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): string =>
  key.export({ format: 'pem', type } as { format: 'pem'; type: 'pkcs8' }).toString();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const KEYS: Readonly<Record<string, SigningKey>> = {
  ES256: keyFromPem(pem(ec)),
  RS256: keyFromPem(pem(rsa)),
  HS256: keyFromSecret(SECRET),
};
const CLAIMS = { token_type: 'access', sub: 'alice', iat: 1, exp: 2 };

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const hs256 = (header: unknown, payload: unknown, secret: KeyObject | string): string => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const problemOf = (keys: JwtKeys, token: string): string => {
  try {
    keys.verify(token);
    return 'none';
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    throw error;
  }
};

describe('JwtKeys', () => {
  for (const [algorithm, key] of Object.entries(KEYS)) {
    describe(`with an ${algorithm} key`, () => {
      const keys = new JwtKeys(key);
      const access = keys.sign('access', CLAIMS, key.kid);
      const refresh = keys.sign('refresh', { ...CLAIMS, token_type: 'refresh' }, key.kid);

      it('signs responses to introspections only where others can verify them, and for no use of a token', async () => {
        const claims = { iss: 'https://login.example.com', aud: 'orders', iat: 1 };
        const signed = keys.signIntrospection(claims);
        if (algorithm === 'HS256') return expect(signed).to.equal(undefined);
        const typ = 'token-introspection+jwt';
        const { payload, protectedHeader } = await jwtVerify(signed ?? '', verificationKeyOf(key), {
          audience: 'orders',
          typ,
        });
        expect(payload).to.deep.equal(claims);
        expect(protectedHeader).to.deep.equal({ alg: algorithm, typ, kid: key.kid });
        return expect(keys.verify(signed ?? '')).to.include({ use: 'access', typ });
      });

      it('opens what it sealed, and says what the key is for', () => {
        const { kid, refreshKid } = key;
        expect(keys.verify(access)).to.deep.equal({ use: 'access', kid, typ: 'at+jwt', payload: CLAIMS });
        expect(keys.verify(refresh)).to.deep.include({ use: 'refresh', kid: refreshKid, typ: 'rt+jwt' });
        expect([kid, refreshKid, 'another'].map((each) => keys.accepts(each))).to.deep.equal([true, true, false]);
      });

      it('signs access tokens that others can verify with the key', async () => {
        const verifier = verificationKeyOf(key);
        const { payload, protectedHeader } = await jwtVerify(access, verifier, {
          algorithms: [algorithm],
          typ: 'at+jwt',
          currentDate: new Date(1500),
        });
        expect(payload).to.deep.equal(CLAIMS);
        expect(protectedHeader.kid).to.equal(key.kid);
      });

      it('signs refresh tokens by HS256 with a secret derived from the key, under a kid of their own', async () => {
        const material = key.sign.type === 'secret' ? Buffer.from(SECRET) : privateScalar(key.sign);
        const derived = createSecretKey(
          Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), 'latchkey refresh v1', 32)),
        );
        const { protectedHeader } = await jwtVerify(refresh, derived, {
          algorithms: ['HS256'],
          currentDate: new Date(1500),
        });
        expect(protectedHeader.kid).to.equal(key.refreshKid).and.not.equal(key.kid);
      });

      it('makes the same bytes of the same claims, but for ES256', () => {
        const again = keys.sign('access', CLAIMS, key.kid);
        expect(again === access).to.equal(algorithm !== 'ES256');
        expect(keys.sign('refresh', { ...CLAIMS, token_type: 'refresh' }, key.kid)).to.equal(refresh);
      });

      it('refuses every single changed character', () => {
        for (let at = 0; at < access.length; at += 7) {
          const other = access[at] === 'A' ? 'B' : 'A';
          const changed = access.slice(0, at) + other + access.slice(at + 1);
          expect(problemOf(keys, changed), `at ${at}`).to.not.equal('none');
        }
      });

      it('refuses another algorithm under its kid, and the token without signature', () => {
        for (const alg of ['none', 'None', 'NONE', 'nOnE', 'HS384', 'HS512', 'ES384', 'PS256', '', undefined]) {
          const input = `${encode({ alg, typ: 'at+jwt', kid: key.kid })}.${encode(CLAIMS)}`;
          expect(problemOf(keys, `${input}.`), `${alg}`).to.equal('MALFORMED');
          expect(problemOf(keys, `${input}.AAAA`), `${alg}`).to.equal('BAD_SIGNATURE');
        }
      });
    });
  }

  it('does not take a public key for a secret', () => {
    const key = KEYS['ES256'] as SigningKey;
    const publicKey = verificationKeyOf(key);
    const secrets = [
      publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      publicKey.export({ format: 'der', type: 'spki' }).toString('latin1'),
    ];
    for (const secret of secrets) {
      const token = hs256({ alg: 'HS256', typ: 'at+jwt', kid: key.kid }, CLAIMS, secret);
      expect(problemOf(new JwtKeys(key), token)).to.equal('BAD_SIGNATURE');
    }
  });

  it('does not take JWT_SECRET for the secret of refresh tokens', () => {
    const key = KEYS['HS256'] as SigningKey;
    const token = hs256({ alg: 'HS256', typ: 'rt+jwt', kid: key.refreshKid }, CLAIMS, SECRET);
    expect(problemOf(new JwtKeys(key), token)).to.equal('BAD_SIGNATURE');
  });

  it('chooses keys by a kid of its own alone', () => {
    const keys = new JwtKeys(KEYS['HS256'] as SigningKey);
    const of = (header: object): string =>
      problemOf(keys, hs256({ alg: 'HS256', typ: 'at+jwt', ...header }, CLAIMS, SECRET));
    expect(of({})).to.equal('UNKNOWN_KEY');
    for (const kid of [
      '../../etc/passwd',
      'https://evil.example/jwks',
      "' OR 1=1 --",
      '',
      '__proto__',
      'constructor',
    ]) {
      expect(of({ kid }), kid).to.equal('UNKNOWN_KEY');
    }
    for (const kid of [1, null, {}, [], true]) expect(of({ kid }), JSON.stringify(kid)).to.equal('MALFORMED');
    const jwk = { kty: 'oct', k: encode(SECRET) };
    expect(of({ jwk, jku: 'https://evil.example', x5u: 'https://evil.example' })).to.equal('UNKNOWN_KEY');
  });

  it('refuses critical extensions', () => {
    const key = KEYS['HS256'] as SigningKey;
    const token = hs256({ alg: 'HS256', kid: key.kid, crit: ['exp'], exp: 1 }, CLAIMS, SECRET);
    expect(problemOf(new JwtKeys(key), token)).to.equal('MALFORMED');
  });

  it('takes each part in its one spelling alone', () => {
    const key = KEYS['HS256'] as SigningKey;
    const keys = new JwtKeys(key);
    const token = keys.sign('access', CLAIMS, key.kid);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const nextSpelling = signature.slice(0, -1) + last[last.indexOf(signature.at(-1) ?? '') + 1];
    const odd = [
      `${header}.${payload}.${nextSpelling}`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}. ${signature}`,
      ` ${token}`,
      `${token}\n`,
      `${token}.`,
      `${token}.${signature}`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      '..',
      '',
      `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
      `${encode('[]')}.${payload}.${signature}`,
      `${encode('null')}.${payload}.${signature}`,
      `${encode('{"alg":')}.${payload}.${signature}`,
    ];
    for (const each of odd) expect(problemOf(keys, each), each).to.equal('MALFORMED');
  });

  it('opens authentic payloads of any kind, for the rules to judge, and refuses what is no JSON once it has proved authentic', () => {
    for (const key of Object.values(KEYS)) {
      const { algorithm, kid, sign } = key;
      const keys = new JwtKeys(key);
      const header = { alg: algorithm, typ: 'at+jwt', kid };
      const signed = (payload: string): string => jwt.sign(payload, sign, { algorithm, header });
      const cases = {
        '[]': 'none',
        '"text"': 'none',
        '1': 'none',
        null: 'none',
        '{"a":1,"a":2}': 'none',
        'no json': 'MALFORMED',
      };
      for (const [payload, problem] of Object.entries(cases)) {
        const token = signed(payload);
        expect(problemOf(keys, token), `${algorithm} ${payload}`).to.equal(problem);
        const [, , signature = ''] = signed('another payload').split('.');
        const forged = `${token.slice(0, token.lastIndexOf('.'))}.${signature}`;
        expect(problemOf(keys, forged), `${algorithm} ${payload}`).to.equal('BAD_SIGNATURE');
      }
    }
  });

  it('signs to the byte as jsonwebtoken does, but for ES256, and each opens what the other has signed', () => {
    const claims = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());
    for (const key of Object.values(KEYS)) {
      const { algorithm, kid, sign } = key;
      const keys = new JwtKeys(key);
      const options = { algorithm, header: { alg: algorithm, typ: 'at+jwt', kid } } as const;
      const judge = { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true };
      fc.assert(
        fc.property(claims, (given) => {
          const [ours, theirs] = [keys.sign('access', given, kid), jwt.sign(JSON.stringify(given), sign, options)];
          const inputOf = (token: string): string => token.slice(0, token.lastIndexOf('.'));
          if (algorithm === 'ES256') expect(inputOf(ours)).to.equal(inputOf(theirs));
          else expect(ours).to.equal(theirs);
          const payload = JSON.parse(JSON.stringify(given)) as unknown;
          expect(keys.verify(theirs).payload).to.deep.equal(payload);
          expect(keys.verify(ours).payload).to.deep.equal(payload);
          expect(jwt.verify(ours, verificationKeyOf(key), judge)).to.deep.equal(payload);
        }),
        { numRuns: 100 },
      );
    }
  });

  it('takes tokens of simplejwt, recognized by their form, where that is set', () => {
    const key = KEYS['ES256'] as SigningKey;
    const adopting = new JwtKeys(key, [], createSecretKey(Buffer.from(SECRET)));
    const token = hs256({ alg: 'HS256', typ: 'JWT' }, { token_type: 'refresh' }, SECRET);
    expect(adopting.verify(token)).to.deep.include({ use: 'adopted' });
    expect(problemOf(new JwtKeys(key), token)).to.equal('UNKNOWN_KEY');
    expect(problemOf(adopting, hs256({ alg: 'HS256', typ: 'JWT' }, {}, 'another secret'))).to.equal('BAD_SIGNATURE');
    // Python's json.dumps writes what JSON has not.
    for (const payload of ['{"exp":Infinity}', '{"exp":NaN}', 'no json']) {
      expect(problemOf(adopting, hs256({ alg: 'HS256', typ: 'JWT' }, payload, SECRET)), payload).to.equal('MALFORMED');
      const forged = hs256({ alg: 'HS256', typ: 'JWT' }, payload, 'another secret');
      expect(problemOf(adopting, forged), payload).to.equal('BAD_SIGNATURE');
    }
    expect(problemOf(adopting, hs256({ alg: 'HS256', typ: 'at+jwt' }, {}, SECRET))).to.equal('UNKNOWN_KEY');
  });

  it('tries each secret of simplejwt, for its tokens do not say which', () => {
    const secrets = [SECRET, 'the secret of before, of more than 32 bytes'].map((each) =>
      createSecretKey(Buffer.from(each)),
    );
    const adopting = new JwtKeys(KEYS['ES256'] as SigningKey, [], ...secrets);
    const header = { alg: 'HS256', typ: 'JWT' };
    for (const secret of secrets) {
      expect(adopting.verify(hs256(header, CLAIMS, secret))).to.deep.equal({
        use: 'adopted',
        kid: undefined,
        typ: 'JWT',
        payload: CLAIMS,
      });
      expect(problemOf(adopting, hs256(header, 'no json', secret))).to.equal('MALFORMED');
    }
    expect(problemOf(adopting, hs256(header, CLAIMS, 'another secret'))).to.equal('BAD_SIGNATURE');
    expect(problemOf(adopting, hs256({ ...header, alg: 'HS512' }, CLAIMS, secrets[1] ?? ''))).to.equal('BAD_SIGNATURE');
  });

  it('shows nothing of a secret', () => {
    const keys = new JwtKeys(
      KEYS['HS256'] as SigningKey,
      [KEYS['ES256'] as SigningKey],
      createSecretKey(Buffer.from(SECRET)),
    );
    expect(keys.publicKeys().map(({ kid }) => kid)).to.deep.equal([KEYS['ES256']?.kid]);
  });

  it('verifies and signs again with keys that sign no more, and signs with its own where one is gone', () => {
    const [signing, other, gone] = ['ES256', 'RS256', 'HS256'].map((name) => KEYS[name] as SigningKey) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const keys = new JwtKeys(signing, [other]);
    expect(keys.verify(keys.sign('access', CLAIMS, other.kid)).payload).to.deep.equal(CLAIMS);
    expect(keys.verify(keys.sign('access', CLAIMS, gone.kid)).payload).to.deep.equal(CLAIMS);
    expect(problemOf(keys, new JwtKeys(gone).sign('access', CLAIMS, gone.kid))).to.equal('UNKNOWN_KEY');
  });
});

describe('keyFromPem', () => {
  it('names a key by its RFC 7638 thumbprint, however it is encoded', async () => {
    expect(keyFromPem(pem(ec)).kid).to.equal(await calculateJwkThumbprint(await exportJWK(createPublicKey(ec))));
    expect(keyFromPem(pem(rsa)).kid).to.equal(await calculateJwkThumbprint(await exportJWK(createPublicKey(rsa))));
    const [one, other] = [keyFromPem(pem(ec)), keyFromPem(pem(ec, 'sec1'))];
    expect(other.kid).to.equal(one.kid);
    expect(other.refreshSecret.export()).to.deep.equal(one.refreshSecret.export());
  });

  it('refuses other curves, short moduli, public keys and what is no key, without a word of their content', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const spki = createPublicKey(ec).export({ format: 'pem', type: 'spki' }).toString();
    expect(() => keyFromPem(pem(p384))).to.throw('EC on P-256');
    expect(() => keyFromPem(pem(short))).to.throw('at least 2048 bits');
    expect(() => keyFromPem(spki)).to.throw('no unencrypted private key');
    expect(() => keyFromPem('nonsense')).to.throw('no unencrypted private key');
  });
});

function privateScalar(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
}
