// Tests of the bearer credentials of a request.

import { expect } from 'chai';
import { linesOf, readCredentials } from '../../src/bearer/credentials.js';

describe('bearer: credentials', () => {
  const cases: readonly (readonly [string, readonly string[], ReturnType<typeof readCredentials>])[] = [
    ['no line', [], { kind: 'missing' }],
    ['an empty line', [''], { kind: 'missing' }],
    ['another scheme', ['Basic YWxpY2U6eA=='], { kind: 'missing' }],
    ['a scheme that only begins alike', ['Bearers abc'], { kind: 'missing' }],
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

  it('finds all lines of a header, whatever the case of its name', () => {
    const raw = ['Host', 'x', 'Authorization', 'a', 'X-Authorization', 'b', 'AUTHORIZATION', 'c'];
    expect(linesOf(raw, 'authorization')).to.deep.equal(['a', 'c']);
    expect(linesOf([], 'authorization')).to.deep.equal([]);
  });
});
