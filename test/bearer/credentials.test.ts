// Tests of the bearer credentials of a request.

import { expect } from 'chai';
import fc from 'fast-check';
import { linesOf, readCredentials } from '../../src/bearer/credentials.js';

describe('bearer: credentials', () => {
  const cases: readonly (readonly [string, readonly string[], ReturnType<typeof readCredentials>])[] = [
    ['no line', [], { kind: 'missing' }],
    ['an empty line', [''], { kind: 'missing' }],
    ['another scheme', ['Basic YWxpY2U6eA=='], { kind: 'missing' }],
    ['a scheme that only begins alike', ['Bearers abc'], { kind: 'missing' }],
    ['the beginning of the scheme', ['Bear'], { kind: 'missing' }],
    ['a scheme with another letter', ['B\u00c5arer abc'], { kind: 'missing' }],
    ['a scheme with another character', ['B\u0005arer abc'], { kind: 'missing' }],
    ['a tab after the scheme', ['Bearer\tabc'], { kind: 'token', token: 'abc' }],
    ['one token', ['Bearer abc.def.ghi'], { kind: 'token', token: 'abc.def.ghi' }],
    ['the scheme in any case', ['bEARER abc'], { kind: 'token', token: 'abc' }],
    ['more white space', ['  Bearer \t abc '], { kind: 'token', token: 'abc' }],
    ['a scheme without a token', ['Bearer'], { kind: 'invalid' }],
    ['two tokens in a line', ['Bearer abc def'], { kind: 'invalid' }],
    ['two lines', ['Bearer abc', 'Bearer abc'], { kind: 'invalid' }],
    ['two lines, one of another scheme', ['Basic eA==', 'Bearer abc'], { kind: 'invalid' }],
    ['two lines that a proxy has joined', ['Bearer abc,Bearer def'], { kind: 'invalid' }],
    ['a comma after the token', ['Bearer abc,'], { kind: 'invalid' }],
  ];
  for (const [what, lines, result] of cases) {
    it(`reads ${what} as ${result.kind}`, () => expect(readCredentials(lines)).to.deep.equal(result));
  }

  it('reads every line as one expression does, which would be too slow', () => {
    const part = fc.constantFrom('Bearer', 'Bearer ', 'bearer ', ' ', '\t', ',', 'abc', 'x.y-z_', 'Basic ', '\u00c5');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const line = parts.join('');
        const [, scheme = '', rest = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
        const isOne = /^[^ \t]+$/.test(rest) && !line.includes(',');
        const read = isOne ? { kind: 'token' as const, token: rest } : { kind: 'invalid' as const };
        const isBearer = line.includes(',') || scheme.toLowerCase() === 'bearer';
        expect(readCredentials([line])).to.deep.equal(isBearer ? read : { kind: 'missing' });
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds all lines of a header, whatever the case of its name', () => {
    const raw = ['Host', 'x', 'Authorization', 'a', 'X-Authorization', 'b', 'AUTHORIZATION', 'c'];
    expect(linesOf(raw, 'authorization')).to.deep.equal(['a', 'c']);
    expect(linesOf(['Authorizatio\u000e', 'a', 'Authorizatio\u00ce', 'b'], 'authorization')).to.deep.equal([]);
    expect(linesOf([], 'authorization')).to.deep.equal([]);
  });
});
