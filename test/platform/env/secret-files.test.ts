// Tests of secrets in files: how they are read, what is refused, and that no message shows one.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError, Environment } from '../../../src/platform/env.js';
import { readServiceSettings } from '../../../src/settings/service.js';

const SECRET = 'sesame, a secret for tests alone, of more than 32 bytes';
/** Every setting that is a secret, and what it takes beside it. */
const SECRETS: Readonly<Record<string, { readonly value: string; readonly beside?: Record<string, string> }>> = {
  JWT_SECRET: { value: SECRET },
  JWT_SECRET_FALLBACK: { value: `${SECRET}!`, beside: { JWT_SECRET: SECRET } },
  ISSUER_TOKEN: { value: 'sesame'.repeat(6) },
  ISSUER_TOKENS: { value: `${'sesame'.repeat(6)},${'a'.repeat(32)}` },
  REVOKER_TOKEN: { value: 'sesame'.repeat(6) },
  REVOKER_TOKENS: { value: `${'sesame'.repeat(6)},${'a'.repeat(32)}` },
  REDIS_URL: { value: 'redis://user:sesame@127.0.0.1:6379', beside: { DATA_DIR: '' } },
  REDIS_SENTINEL_PASSWORD: { value: 'sesame', beside: { DATA_DIR: '', REDIS_URL: 'redis+sentinel://h/main' } },
};

describe('a secret in a file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-secret-'));
    file = join(folder, 'secret');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What is read from NAME_FILE, and what is said of it. */
  function read(path: string, variables: Record<string, string> = {}) {
    const env = new Environment({ NAME_FILE: path, ...variables });
    const value = env.secret('NAME')?.reveal();
    try {
      env.check();
      return { value, faults: [], warnings: env.warnings };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { value, faults: error.faults, warnings: env.warnings };
    }
  }
  const keep = (content: string | Uint8Array, mode = 0o600): string => {
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };

  for (const [name, { value, beside = {} }] of Object.entries(SECRETS)) {
    it(`is read for ${name}, by ${name}_FILE`, () => {
      const variables = { DATA_DIR: 'data', ...(name === 'JWT_SECRET' ? {} : { JWT_SECRET: SECRET }), ...beside };
      const env = new Environment({ ...variables, [`${name}_FILE`]: keep(`${value}\n`) });
      readServiceSettings(env, 'serve', 0);
      env.check();
      expect(env.secrets()).to.include({ [name]: value });
      expect(env.warnings).to.deep.equal([]);
      const both = new Environment({ ...variables, [name]: value, [`${name}_FILE`]: file });
      readServiceSettings(both, 'serve', 0);
      expect(() => both.check()).to.throw(`${name} and ${name}_FILE: found both, wanted one of them`);
    });
  }

  it('loses exactly one line end, and no other character', () => {
    for (const [content, value] of [
      ['a', 'a'],
      ['a\n', 'a'],
      ['a\r\n', 'a'],
      ['a\n\n', 'a\n'],
      ['a\r', 'a\r'],
      [' a ', ' a '],
      ['\ufeffa\n', '\ufeffa'],
    ] as const) {
      expect(read(keep(content)).value, JSON.stringify(content)).to.equal(value);
    }
    expect(read(keep('a\n\n')).warnings.join()).to.match(/^NAME_FILE: the value has a line feed at its end/);
    expect(read(keep('\ufeffa\n')).warnings.join()).to.include('a byte order mark at its start');
  });

  it('is followed through links, as Kubernetes mounts it, and may be readable by all, as Docker has it', () => {
    mkdirSync(join(folder, '..data'));
    writeFileSync(join(folder, '..data', 'name'), 'sesame', { mode: 0o444 });
    symlinkSync(join('..data', 'name'), join(folder, 'name'));
    expect(read(join(folder, 'name'))).to.deep.equal({ value: 'sesame', faults: [], warnings: [] });
  });

  it('is refused where the file is empty, huge, no text, writable by all, no file, or both are set', () => {
    const wrong: readonly (readonly [() => string, string])[] = [
      [() => keep(''), 'it is empty'],
      [() => keep('\n'), 'it is empty'],
      [() => keep('sesame'.repeat(20_000)), 'more than 65536 bytes'],
      [() => keep(Buffer.from([0xff, 0xfe, 0x73, 0])), 'not UTF-8'],
      [() => keep('sesame', 0o666), 'chmod o-w'],
      [() => folder, 'it is a folder'],
    ];
    for (const [make, words] of wrong) {
      const { value, faults } = read(make());
      expect(value).to.equal(undefined);
      expect(faults, words).to.have.length(1);
      expect(faults[0]).to.match(/^NAME_FILE: found "\/.*, wanted a file that holds the secret and nothing else$/);
      expect(faults[0]).to.include(words).and.not.include('sesame');
    }
    expect(read(keep('x'.repeat(65_536))).faults).to.deep.equal([]);
  });

  it('is not waited for where it is a pipe without a writer', () => {
    execFileSync('mkfifo', [file]);
    expect(read(file).faults.join()).to.include('not a regular file');
  });

  it('is not shown where it was put into the variable of the file by mistake', () => {
    for (const path of ['sesame', `/sesame/${SECRET}`, `${file}/sesame`]) {
      const { faults } = read(path);
      expect(faults).to.have.length(1);
      expect(faults[0]).to.include('NAME_FILE: found a path: no such file').and.not.include('sesame');
    }
  });

  it('is one fault where it cannot be read, whatever depends on it', () => {
    const dependent: Readonly<Record<string, Record<string, string>>> = {
      JWT_SECRET: { JWT_SECRET_FALLBACK: SECRET, ADOPT_TOKENS: 'simplejwt', DATA_DIR: 'data' },
      REDIS_URL: {
        ...{ JWT_SECRET: SECRET, REDIS_MIN_REPLICAS: '1', REDIS_SENTINEL_PASSWORD: 'sesame' },
        REDIS_TLS_CA: 'ca.crt',
      },
      REDIS_SENTINEL_PASSWORD: {
        ...{ JWT_SECRET: SECRET, REDIS_URL: 'redis+sentinel://h/main', REDIS_SENTINEL_USER: 'user' },
      },
    };
    for (const [name, others] of Object.entries(dependent)) {
      const env = new Environment({ ...others, [`${name}_FILE`]: file });
      readServiceSettings(env, 'serve', 0);
      expect(() => env.check(), name).to.throw(ConfigError, `1 wrong setting:\n  ${name}_FILE: found a path`);
    }
  });

  it('counts as unset where the variable is empty', () => {
    expect(read('', { NAME: 'a' })).to.deep.equal({ value: 'a', faults: [], warnings: [] });
  });

  it('has its faults reported under the variable that names the file', () => {
    const env = new Environment({ NAME_FILE: keep('short') });
    env.secret('NAME', { minBytes: 32 });
    expect(() => env.check()).to.throw('NAME_FILE: found a secret of 5 bytes, wanted at least 32 bytes');
  });
});
