// Tests of invisible characters and quotes at the ends of secrets: which are faults, which are warnings, and their words.

import { expect } from 'chai';
import { oddEnds } from '../../../src/platform/env/odd-ends.js';
import { ConfigError, Environment } from '../../../src/platform/env.js';
import { readServiceSettings } from '../../../src/settings/service.js';

const SECRET = 'sesame, a secret for tests alone, of more than 32 bytes';
const TOKEN = 'sesame'.repeat(6);
const CHARACTERS = [
  ['\n', 'a line feed'],
  ['\r', 'a carriage return'],
  ['\r\n', 'a '],
  ['\t', 'a tab'],
  [' ', 'a blank'],
  ['\ufeff', 'a byte order mark'],
  ['\u00a0', 'a non-breaking space'],
  ['\u200b', 'a zero-width character'],
  ['\u2028', 'a white space beyond ASCII'],
  ['\u0000', 'a control character'],
] as const;

/** What the start says of settings. */
function said(variables: Record<string, string>): {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
} {
  const env = new Environment({ JWT_SECRET: SECRET, DATA_DIR: 'data', ...variables });
  readServiceSettings(env, 'serve', 0);
  try {
    env.check();
    return { faults: [], warnings: env.warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.faults, warnings: env.warnings };
  }
}

describe('the ends of a secret', () => {
  for (const [character, name] of CHARACTERS) {
    const title = JSON.stringify(character);
    it(`with ${title} are a warning for JWT_SECRET and its like, which names the variable and the character`, () => {
      const sentinel = { DATA_DIR: '', REDIS_URL: 'redis+sentinel://h/main', REDIS_SENTINEL_PASSWORD: 'sesame' };
      for (const [variable, value, beside] of [
        ['JWT_SECRET', SECRET, {}],
        ['JWT_SECRET_FALLBACK', `${SECRET}!`, {}],
        ['REDIS_SENTINEL_PASSWORD', 'sesame', sentinel],
        ['REDIS_SENTINEL_USER', 'sesame', sentinel],
      ] as const) {
        for (const odd of [`${value}${character}`, `${character}${value}`]) {
          const { faults, warnings } = said({ ...beside, [variable]: odd });
          expect(faults).to.deep.equal([]);
          expect(warnings).to.have.length(1);
          expect(warnings[0])
            .to.match(new RegExp(`^${variable}: `))
            .and.include(`${name}`)
            .and.not.include('sesame');
          expect(warnings[0]).to.include(odd.startsWith(character) ? 'at its start' : 'at its end');
        }
      }
    });

    it(`with ${title} are a fault for ISSUER_TOKEN and REDIS_URL, which no such value can be`, () => {
      const url = 'redis://:sesame@127.0.0.1';
      for (const [variable, value] of [
        ['ISSUER_TOKEN', TOKEN],
        ['REDIS_URL', url],
      ] as const) {
        for (const odd of [`${value}${character}`, `${character}${value}`]) {
          const { faults } = said({ DATA_DIR: variable === 'REDIS_URL' ? '' : 'data', [variable]: odd });
          expect(faults).to.have.length(1);
          expect(faults[0])
            .to.match(new RegExp(`^${variable}: found `))
            .and.include(name)
            .and.not.include('sesame');
        }
      }
    });

    if (character !== ' ' && character !== '\t') {
      it(`with ${title} are a fault for each of ISSUER_TOKENS, and are not dropped`, () => {
        for (const odd of [`${TOKEN}${character}`, `${TOKEN},${character}${TOKEN}`]) {
          const { faults } = said({ ISSUER_TOKENS: odd });
          expect(faults).to.have.length(1);
          expect(faults[0])
            .to.match(/^ISSUER_TOKENS: found one that has a /)
            .and.include(name);
        }
      });
    }
  }

  it('with quotes around it are a warning, and a fault for a URL', () => {
    for (const [open, close] of [`""`, `''`, '``', '“”', '«»']) {
      expect(said({ JWT_SECRET: `${open}${SECRET}${close}` }).warnings.join()).to.match(
        /^JWT_SECRET: .*quotes around it/,
      );
      expect(said({ DATA_DIR: '', REDIS_URL: `${open}redis://h${close}` }).faults.join()).to.include(
        'quotes around it',
      );
    }
    for (const value of [`"${TOKEN}"`, `"${TOKEN},${TOKEN}"`]) {
      expect(said({ ISSUER_TOKENS: value }).warnings.join()).to.match(/^ISSUER_TOKENS: .*quotes around it/);
    }
    expect(said({ ISSUER_TOKEN: `"${TOKEN}"` }).warnings.join()).to.match(/^ISSUER_TOKEN: .*quotes around it/);
  });

  it('are in order where nothing is around them', () => {
    for (const text of ['a', '"', 'a"b', `"a'`, 'a\nb', 'ü', '$k^y']) expect(oddEnds(text), text).to.equal(undefined);
    expect(said({ ISSUER_TOKEN: TOKEN, ISSUER_TOKENS: ` ${TOKEN} , ${TOKEN}` })).to.deep.equal({
      faults: [],
      warnings: [],
    });
  });

  it('are no place where a URL hides white space from its parser, nor is its middle', () => {
    const { faults } = said({ DATA_DIR: '', REDIS_URL: 'redis://u:ses\name@h' });
    expect(faults.join()).to.match(/^REDIS_URL: found something else, wanted .*without white space/);
  });
});
