// Tests of signatures in unusual forms: our verification, jsonwebtoken, jose and Node's own say the same of each.

import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { expect } from 'chai';
import { compactVerify } from 'jose';
import jwt from 'jsonwebtoken';
import { JwtKeys } from '../../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem } from '../../../src/adapters/jwt/key-pair.js';
import type { SigningKey } from '../../../src/adapters/jwt/signing-key.js';
import { TokenRefused } from '../../../src/core/token/errors.js';

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();
const es256 = keyFromPem(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
const rs256 = keyFromPem(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));

const NUMBER_BYTES = 32;
/** The order of P-256's base point (FIPS 186-4, D.1.2.3). */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const bytesOf = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * NUMBER_BYTES, '0'), 'hex');
const numberIn = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const inputOf = ({ algorithm, kid }: SigningKey, header: object = {}): string =>
  `${encode({ alg: algorithm, typ: 'at+jwt', kid, ...header })}.${encode({ sub: 'ann' })}`;

/** What each of the four says of a token. */
async function verdicts(key: SigningKey, input: string, signature: Buffer) {
  const token = `${input}.${signature.toString('base64url')}`;
  const algorithms = [key.algorithm];
  const publicKey = createPublicKey(key.sign);
  const isNone = (error: unknown): false => {
    expect(error).to.be.instanceOf(Error);
    return false;
  };
  let [ours, theirs] = [true, true];
  try {
    new JwtKeys(key).verify(token);
  } catch (error) {
    expect(error).to.be.instanceOf(TokenRefused);
    expect((error as TokenRefused).problem).to.be.oneOf(['BAD_SIGNATURE', 'MALFORMED']);
    ours = false;
  }
  try {
    jwt.verify(token, publicKey, { algorithms });
  } catch (error) {
    theirs = isNone(error);
  }
  const jose = await compactVerify(token, publicKey, { algorithms }).then(() => true, isNone);
  const node = verify('sha256', Buffer.from(input), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  return { ours, jsonwebtoken: theirs, jose, node };
}

const all = (is: boolean) => ({ ours: is, jsonwebtoken: is, jose: is, node: is });

describe('a signature', () => {
  const input = inputOf(es256);
  const signed = (dsaEncoding: 'der' | 'ieee-p1363'): Buffer =>
    sign('sha256', Buffer.from(input), { key: es256.sign, dsaEncoding });
  const good = signed('ieee-p1363');
  const [r, s] = [good.subarray(0, NUMBER_BYTES), good.subarray(NUMBER_BYTES)];
  const zero = Buffer.alloc(NUMBER_BYTES);

  it('of ES256 is good with either of its two values of s, and with no other', async () => {
    expect(await verdicts(es256, input, good)).to.deep.equal(all(true));
    const other = Buffer.concat([r, bytesOf(ORDER - numberIn(s))]);
    expect(await verdicts(es256, input, other)).to.deep.equal(all(true));
  });

  const forms: Readonly<Record<string, Buffer>> = {
    'in DER': signed('der'),
    'a byte too short': good.subarray(0, -1),
    'a byte too long': Buffer.concat([good, Buffer.alloc(1)]),
    'with a zero byte before each number': Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s]),
    'with r alone': r,
    'with r and s exchanged': Buffer.concat([s, r]),
    'with r = 0': Buffer.concat([zero, s]),
    'with s = 0': Buffer.concat([r, zero]),
    'with r = s = 0': Buffer.concat([zero, zero]),
    'with r as the order': Buffer.concat([bytesOf(ORDER), s]),
    'with s as the order': Buffer.concat([r, bytesOf(ORDER)]),
    'with s plus the order': Buffer.concat([r, bytesOf((numberIn(s) + ORDER) % (1n << BigInt(8 * NUMBER_BYTES)))]),
    'of all ones': Buffer.alloc(2 * NUMBER_BYTES, 0xff),
    'with one bit changed': Buffer.from(good.map((byte, at) => (at === 40 ? byte ^ 1 : byte))),
  };
  for (const [form, signature] of Object.entries(forms)) {
    it(`of ES256 is refused by all ${form}`, async () => {
      expect(await verdicts(es256, input, signature)).to.deep.equal(all(false));
    });
  }

  it('of RS256 is refused by all if it is shorter, longer, or changed', async () => {
    const text = inputOf(rs256);
    const whole = sign('sha256', Buffer.from(text), rs256.sign);
    expect(await verdicts(rs256, text, whole)).to.deep.equal(all(true));
    const changed = Buffer.from(whole.map((byte, at) => (at === 100 ? byte ^ 1 : byte)));
    for (const bad of [whole.subarray(1), Buffer.concat([Buffer.alloc(1), whole]), changed, Buffer.alloc(256)])
      expect(await verdicts(rs256, text, bad)).to.deep.equal(all(false));
  });

  for (const alg of ['RS256', 'HS256', 'ES384', 'none', 'es256']) {
    it(`of ES256 is refused where the header names ${alg}`, async () => {
      const text = inputOf(es256, { alg });
      const signature = sign('sha256', Buffer.from(text), { key: es256.sign, dsaEncoding: 'ieee-p1363' });
      // Node verifies no header.
      expect(await verdicts(es256, text, signature)).to.deep.equal({ ...all(false), node: true });
    });
  }
});

describe('a payload with a good signature', () => {
  for (const key of [es256, rs256]) {
    it(`of ${key.algorithm} is refused if its bytes are not UTF-8, which jsonwebtoken replaces`, () => {
      const verified = (bytes: Buffer): unknown => {
        const [header] = inputOf(key).split('.');
        const input = `${header}.${bytes.toString('base64url')}`;
        const signature = sign('sha256', Buffer.from(input), { key: key.sign, dsaEncoding: 'ieee-p1363' });
        return new JwtKeys(key).verify(`${input}.${signature.toString('base64url')}`).payload;
      };
      const text = JSON.stringify({ sub: 'andr\u00e9' });
      expect(verified(Buffer.from(text, 'utf8'))).to.deep.equal({ sub: 'andr\u00e9' });
      expect(() => verified(Buffer.from(text, 'latin1')))
        .to.throw(TokenRefused)
        .with.property('problem', 'MALFORMED');
    });
  }
});
