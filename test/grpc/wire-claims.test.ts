// Tests that claims which the decoder would change or drop are refused by their bytes, and that all others pass.

import { expect } from 'chai';
import fc from 'fast-check';
import { IssueTokenRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import { InvalidInput } from '../../src/core/errors.js';
import { checkWireClaims } from '../../src/grpc/codec/wire-claims.js';

/** A length-delimited field of a number under 16. */
function field(number: number, ...content: readonly (Uint8Array | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((each) => Buffer.from(each)));
  const length: number[] = [];
  for (let rest = bytes.length; length.length === 0 || rest > 0; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push((length.pop() ?? 0) & 0x7f);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

const TRUE = Buffer.from([4 << 3, 1]);
const LATIN1 = Buffer.from('J\xf6rg', 'latin1');
const text = (value: Uint8Array | string): Buffer => field(3, value);
const entry = (name: Uint8Array | string, ...value: Buffer[]): Buffer => field(1, field(1, name), field(2, ...value));
const struct = (...entries: Buffer[]): Buffer => field(5, ...entries);
const list = (...values: Buffer[]): Buffer => field(6, ...values.map((value) => field(1, value)));
const request = (...entries: Buffer[]): Buffer => Buffer.concat([field(1, 'alice'), field(2, ...entries)]);

function refusalOf(bytes: Uint8Array): string {
  try {
    checkWireClaims(bytes);
    return 'none';
  } catch (error) {
    if (error instanceof InvalidInput) return `${error.violation.reason} ${error.violation.description}`;
    throw error;
  }
}

const REFUSED: readonly (readonly [what: string, bytes: Buffer, refusal: string])[] = [
  ['a text', request(entry('a', text(LATIN1))), 'INVALID the text at a is not UTF-8'],
  [
    'half a surrogate pair',
    request(entry('a', text(Buffer.from('eda080', 'hex')))),
    'INVALID the text at a is not UTF-8',
  ],
  ['a text in a list', request(entry('a', list(TRUE, text(LATIN1)))), 'INVALID the text at a[1] is not UTF-8'],
  ['a name', request(entry(LATIN1, TRUE)), 'INVALID a name in the claims is not UTF-8'],
  ['an inner name', request(entry('a', struct(entry(LATIN1, TRUE)))), 'INVALID a name in a is not UTF-8'],
  ['a name twice', request(entry('a', TRUE), entry('b', TRUE), entry('a', TRUE)), 'INVALID the name a occurs twice'],
  [
    'a name without bytes twice',
    request(entry('', TRUE), field(1, field(2, TRUE))),
    'INVALID the name [""] occurs twice',
  ],
  [
    'an inner name twice',
    request(entry('a', list(struct(entry('b c', TRUE), entry('b c', TRUE))))),
    'INVALID the name a[0]["b c"] occurs twice',
  ],
  [
    'two names in an entry',
    request(field(1, field(1, 'a'), field(1, 'b'), field(2, TRUE))),
    'INVALID an entry in the claims has two names or two values',
  ],
  [
    'two values in an entry',
    request(field(1, field(1, 'a'), field(2, TRUE), field(2, TRUE))),
    'INVALID an entry in the claims has two names or two values',
  ],
  ['an entry without a value', request(field(1, field(1, 'a'))), 'INVALID the value at a must have exactly one kind'],
  [
    'a value without a kind',
    request(entry('a', list(Buffer.alloc(0)))),
    'INVALID the value at a[0] must have exactly one kind',
  ],
  ['a value of two kinds', request(entry('a', TRUE, text('x'))), 'INVALID the value at a must have exactly one kind'],
  [
    'a kind of a wrong wire type',
    request(entry('a', Buffer.from([3 << 3, 1]))),
    'INVALID the value at a must have exactly one kind',
  ],
  ['claims twice', Buffer.concat([request(entry('a', TRUE)), field(2, entry('b', TRUE))]), 'INVALID must be sent once'],
  [
    '__proto__',
    request(entry('__proto__', TRUE)),
    'RESERVED the name __proto__ is reserved: leave it out or rename it',
  ],
  [
    'an inner __proto__',
    request(entry('a', list(struct(entry('__proto__', struct()))))),
    'RESERVED the name a[0].__proto__ is reserved: leave it out or rename it',
  ],
];

describe('claims on the wire', () => {
  for (const [what, bytes, refusal] of REFUSED) {
    it(`with ${what} that would change or get lost are refused`, () => {
      expect(refusalOf(bytes)).to.equal(refusal);
    });
  }

  it('are refused unread where no token has room for them, and read up to there', () => {
    const ones = (count: number): Uint8Array =>
      IssueTokenRequest.encode({
        subject: 'alice',
        claims: { list: Array(count).fill(1) },
        clientId: '',
        scope: '',
      }).finish();
    expect(refusalOf(ones(95_000))).to.match(/^TOO_LARGE /);
    // More digits than 5,376 bytes of JSON, the most in a new token of 7,168 bytes, have room for.
    expect(refusalOf(ones(2_700))).to.equal('none');
    expect(refusalOf(request(entry('a', text('x'.repeat(35_840)))))).to.match(/^TOO_LARGE /);
  });

  it('are no message where a field is longer than the one around it', () => {
    const inner = Buffer.from(request(entry('a', text('xyz'))));
    for (const at of [8, 10, 12, 15, 17]) {
      const longer = Buffer.from(inner);
      longer[at] = (longer[at] ?? 0) + 1;
      expect(() => checkWireClaims(Buffer.concat([longer, field(9, 'more')])), `${at}`).to.throw();
    }
  });

  it('pass where the decoder keeps all of them', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((each) => each !== '__proto__');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(fc.double(), fc.boolean(), fc.constant(null), fc.string({ unit: 'grapheme' })),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (claims) => {
        const bytes = IssueTokenRequest.encode({ subject: 'alice', claims, clientId: '', scope: '' }).finish();
        expect(refusalOf(bytes)).to.equal('none');
        expect(IssueTokenRequest.decode(bytes).claims).to.deep.equal(claims);
      }),
      { numRuns: 300 },
    );
  });

  it('hold no replaced bytes where one byte was changed and they pass', () => {
    const whole = request(entry('a', list(TRUE, struct(entry('b', text('x'))))), entry('c', text('ü')));
    expect(refusalOf(whole)).to.equal('none');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        let refused = false;
        try {
          refused = refusalOf(changed) !== 'none';
        } catch {
          refused = true;
        }
        // The decoder puts U+FFFD for bytes that are not UTF-8; one changed byte cannot spell it.
        if (!refused) expect(JSON.stringify(IssueTokenRequest.decode(changed).claims ?? {})).not.to.include('\ufffd');
      }),
    );
  });

  it('nested deeper than the core allows are left to the decoder and the core', () => {
    // Nothing is looked at there: what is bad in it is not found.
    for (const nest of [list, (inner: Buffer) => struct(entry('a', inner))]) {
      let value = text(LATIN1);
      for (let depth = 0; depth < 200; depth++) value = nest(value);
      expect(refusalOf(request(entry('a', value)))).to.equal('none');
      expect(() => IssueTokenRequest.decode(request(entry('a', value)))).to.throw('recursion');
    }
  });
});
