// Tests of names that occur twice in a JSON text.

import { expect } from 'chai';
import { hasNameTwice } from '../../src/platform/json-names.js';

const twice = (text: string): boolean => hasNameTwice(text, JSON.parse(text));

describe('names in JSON', () => {
  it('are found where an object has one twice, however it is written and however deep', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1, "\\u0061" :2}',
      '[{"b":{"a":{},"a":[]}}]',
      '{"__proto__":1,"__proto__":2}',
    ]) {
      expect(twice(text), text).to.equal(true);
    }
  });

  it('may occur in several objects, and in texts', () => {
    const texts = [
      '{}',
      '7',
      '"a\\":"',
      '[{"a":1},{"a":1}]',
      '{"a":{"a":"\\"a\\":"}}',
      '{"__proto__":{"a":1}}',
      '{"a":"a\\\\"}',
    ];
    for (const text of texts) expect(twice(text), text).to.equal(false);
  });

  it('are counted in a text of any depth', () => {
    const depth = 50_000;
    expect(twice(`${'['.repeat(depth)}{"a":1,"a":2}${']'.repeat(depth)}`)).to.equal(true);
  });
});
