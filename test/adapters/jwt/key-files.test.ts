// Owns the proof of how signing keys are read from a folder, and which faults are told.

import { chmodSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generateKey, KeyFileError, loadKeys } from '../../../src/adapters/jwt/key-files.js';

describe('loadKeys', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('puts the newest file first: that one signs', () => {
    for (const name of ['a', 'b', 'c']) generateKey(folder, name);
    utimesSync(join(folder, 'b.pem'), new Date(), new Date(Date.now() + 60_000));
    const [signing, ...others] = loadKeys(folder);
    utimesSync(join(folder, 'b.pem'), new Date(), new Date(0));
    expect(loadKeys(folder).at(-1)?.kid).to.equal(signing.kid);
    expect(others).to.have.length(2);
  });

  it('names every file at fault, and what to do', () => {
    generateKey(folder, 'open');
    chmodSync(join(folder, 'open.pem'), 0o644);
    writeFileSync(join(folder, 'broken.pem'), 'my password is hunter2', { mode: 0o600 });
    expect(() => loadKeys(folder))
      .to.throw(KeyFileError)
      .with.property('message')
      .that.matches(/broken\.pem: it holds no unencrypted private key[\s\S]*open\.pem: everybody .* run: chmod o= /)
      .and.does.not.include('hunter2');
  });

  it('says so where there is no key', () => {
    expect(() => loadKeys(folder)).to.throw(KeyFileError, 'no file that ends in .pem');
    expect(() => loadKeys(join(folder, 'missing'))).to.throw(KeyFileError, 'no file that ends in .pem');
  });

  it('makes keys that their owner alone may read', () => {
    generateKey(folder, 'dev');
    expect(statSync(join(folder, 'dev.pem')).mode & 0o777).to.equal(0o600);
    expect(() => generateKey(folder, 'dev')).to.throw('EEXIST');
  });
});
