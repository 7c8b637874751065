// Tests that our HMAC is HMAC: the vectors of RFC 4231, and Node's own as an oracle.

import { createHmac, createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { hmacSha256 } from '../../../src/adapters/jwt/verify/hmac.js';

/** RFC 4231, sections 4.2 to 4.8, without 4.6, whose result is cut: key, data and HMAC-SHA-256, hex. */
const VECTORS = [
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    'aa'.repeat(131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const;

const latin1 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('hmacSha256', () => {
  for (const [key, data, wanted] of VECTORS) {
    it(`gives what RFC 4231 says for a key of ${key.length / 2} bytes and data ${data.slice(0, 8)}…`, () => {
      const text = Buffer.from(data, 'hex').toString('latin1');
      const signature = hmacSha256(createSecretKey(Buffer.from(key, 'hex')), text);
      expect(Buffer.from(signature, 'base64url').toString('hex')).to.equal(wanted);
    });
  }

  it("equals Node's, whatever the key, the text, and the texts before it", () => {
    const keys = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => createSecretKey(bytes));
    fc.assert(
      fc.property(keys, fc.array(latin1, { maxLength: 5 }), (key, texts) => {
        for (const text of texts) {
          const wanted = createHmac('sha256', key).update(text, 'latin1').digest('base64url');
          expect(hmacSha256(key, text)).to.equal(wanted);
        }
      }),
    );
  });

  it('takes a text that is longer than any token', () => {
    const key = createSecretKey(Buffer.from('a secret for tests alone'));
    for (const length of [8_191, 8_192, 8_193, 100_000, 3]) {
      const text = 'x'.repeat(length);
      expect(hmacSha256(key, text)).to.equal(createHmac('sha256', key).update(text).digest('base64url'));
    }
  });
});
