// Tests that `token issue --claims` takes what JSON.parse takes, but for what would be lost on the way into a token.

import { expect } from 'chai';
import fc from 'fast-check';
import { parseClaims } from '../../src/commands/claims-text.js';
import { UsageError } from '../../src/commands/usage.js';

function refusalOf(text: string): string | undefined {
  try {
    parseClaims(text);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** What a value would lose, found in the value itself and not in its text. */
function isLossy(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) > 2 ** 53 - 1;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name === '__proto__' || isLossy(name) || isLossy(inner));
}

const blank = fc.constantFrom('', ' ', '\n\t', '\r');
const strings = {
  unit: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '\ud800', '"\\')),
};
const claims = fc.dictionary(
  strings.unit,
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
      ),
      strings.unit,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(strings.unit, tie('value'), { maxKeys: 4 }),
    ),
  })).value,
);

describe('the claims of token issue', () => {
  it('are read as JSON.parse reads them, unless something in them would be lost', () => {
    fc.assert(
      fc.property(claims, blank, fc.integer({ min: 0, max: 3 }), (value, space, indent) => {
        const text = `${space}${JSON.stringify(value, undefined, indent)}${space}`;
        if (isLossy(value)) expect(refusalOf(text), text).to.match(/^--claims: .+, at character \d+: /);
        else expect(parseClaims(text)).to.deep.equal(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are refused for whatever text JSON.parse refuses, and for what is no object', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {}
        const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
        if (!isObject) expect(refusalOf(text)).to.include('wanted a JSON object');
      }),
    );
  });

  it('are refused with a name twice, also in two spellings, at any depth, with the place', () => {
    expect(refusalOf('{"a":1,"a":2}')).to.equal('--claims: a, at character 8: this name occurs twice: remove one');
    expect(refusalOf('{"x":[0,{"a b":1,"a\\u0020b":1}]}')).to.include(
      'x[1]["a b"], at character 18: this name occurs twice',
    );
    expect(refusalOf('{"":1,"":1}')).to.include('this name occurs twice');
    expect(refusalOf('{"a":{"b":1},"c":{"b":1},"d":["b","b"]}')).to.equal(undefined);
  });

  it('are refused with the name __proto__ at any depth, also in another spelling', () => {
    for (const text of ['{"__proto__":1}', '{"a":[[{"__proto__":{}}]]}', '{"\\u005f_proto__":1}']) {
      expect(refusalOf(text), text).to.include('reserved');
    }
    expect(refusalOf('{"a":"__proto__","b":["__proto__"],"proto":1}')).to.equal(undefined);
  });

  it('are refused with a number that would lose digits, with what it would become', () => {
    const big = ['9007199254740992', '-9007199254740993', '1e16', '1e300', '1e400', '9007199254740991.5', '9.1e15'];
    for (const number of big)
      expect(refusalOf(`{"id":${number}}`), number)
        .to.include('id, at character 7')
        .and.include('string');
    const cut = { '0.1000000000000000055': '0.1', '3.14159265358979323846': '3.141592653589793', '1e-400': '0' };
    for (const [number, rest] of Object.entries(cut)) {
      expect(refusalOf(`{"n":[${number}]}`), number).to.include(
        `n[0], at character 7: this number would become ${rest}:`,
      );
    }
    const good = [
      '0',
      '-0',
      '0.0',
      '0e5',
      '1.50',
      '15e-1',
      '100',
      '1E2',
      '1e+2',
      '0.00123',
      '-1.23e-3',
      '5e-324',
      '9007199254740991',
    ];
    for (const number of good) expect(refusalOf(`{"n":${number}}`), number).to.equal(undefined);
  });

  it('shows no more of a path than fits on a screen', () => {
    expect(refusalOf(`{"${'x'.repeat(100_000)}":1e400}`)?.length).to.be.below(400);
  });

  it('are not repeated in the message where they are no object', () => {
    for (const text of ['{"ssn":"sesame"', '["sesame"]', '"sesame"', 'null']) {
      expect(refusalOf(text), text)
        .to.match(/^--claims: found .*, wanted a JSON object/)
        .and.not.include('sesame');
    }
  });
});
