// Tests of how signing keys are read from a folder, how they are written, and which faults are reported.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generateKey, KeyFileError, loadKeys, makeKey, pemFiles } from '../../../src/adapters/jwt/key-files.js';

/** The fault of a folder that must have one. */
async function faultOf(folder: string): Promise<KeyFileError> {
  const error = await loadKeys(folder).catch((thrown: unknown) => thrown);
  if (error instanceof KeyFileError) return error;
  throw new Error('the folder is in order');
}

describe('loadKeys', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('puts the newest file first: that one signs', async () => {
    for (const name of ['a', 'b', 'c']) generateKey(folder, name);
    utimesSync(join(folder, 'b.pem'), new Date(), new Date(Date.now() + 60_000));
    const [signing, ...others] = await loadKeys(folder);
    utimesSync(join(folder, 'b.pem'), new Date(), new Date(0));
    expect((await loadKeys(folder)).at(-1)?.kid).to.equal(signing.kid);
    expect(others).to.have.length(2);
  });

  it('decides by the kid between files of one date, so that all nodes agree', async () => {
    for (const name of ['a', 'b', 'c', 'd']) utimesSync(generateKey(folder, name), new Date(1), new Date(1));
    const kids = (await loadKeys(folder)).map(({ kid }) => kid);
    expect(kids).to.deep.equal(kids.toSorted().toReversed());
  });

  it('takes a key that is there twice once, with the newer date', async () => {
    copyFileSync(generateKey(folder, 'a'), join(folder, 'copy.pem'));
    utimesSync(join(folder, 'a.pem'), new Date(1), new Date(1));
    const [only, ...others] = await loadKeys(folder);
    expect(only.path).to.equal(join(folder, 'copy.pem'));
    expect(others).to.be.empty;
  });

  it('names every file at fault, and what to do', async () => {
    generateKey(folder, 'open');
    chmodSync(join(folder, 'open.pem'), 0o644);
    writeFileSync(join(folder, 'broken.pem'), 'my password is hunter2', { mode: 0o600 });
    writeFileSync(join(folder, 'huge.pem'), 'x'.repeat(100_000), { mode: 0o600 });
    // A read of a pipe without a writer would never end.
    execFileSync('mkfifo', ['-m', '600', join(folder, 'pipe.pem')]);
    const { message, isTransient } = await faultOf(folder);
    expect(message)
      .to.match(/broken\.pem: it contains no unencrypted private key[\s\S]*open\.pem: every user .* run: chmod o= /)
      .and.match(/huge\.pem: it is too large[\s\S]*pipe\.pem: it is not a file/)
      .and.not.include('hunter2');
    expect(isTransient).to.equal(false);
  });

  it('takes no key from a folder that others may add files to, and says how to mend it', async () => {
    generateKey(folder, 'own');
    for (const mode of [0o777, 0o1777, 0o702]) {
      chmodSync(folder, mode);
      const { message, isTransient } = await faultOf(folder);
      expect(message)
        .to.include(`${folder}: every user of this machine can add a key`)
        .and.include(`chmod o-w '${folder}'`);
      expect(isTransient).to.equal(false);
    }
    chmodSync(folder, 0o775);
    expect(await loadKeys(folder)).to.have.length(1);
  });

  it('takes the keys of such a folder that is mounted read-only, as Kubernetes mounts a Secret', async function () {
    const mounted = join(folder, 'mounted');
    mkdirSync(mounted);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777,size=1m', 'keys', mounted]).status !== 0) this.skip();
    try {
      writeFileSync(join(mounted, 'a.pem'), makeKey('ES256').pem, { mode: 0o600 });
      expect((await faultOf(mounted)).message).to.include('every user');
      execFileSync('mount', ['-o', 'remount,ro', mounted]);
      expect(await loadKeys(mounted)).to.have.length(1);
    } finally {
      execFileSync('umount', [mounted]);
    }
  });

  it('says so where there is no key', async () => {
    const remedy = '`latchkey keys generate` creates the first key';
    expect((await faultOf(folder)).message).to.equal(`${folder}: it contains no file that ends in .pem; ${remedy}`);
    const missing = join(folder, 'missing');
    expect((await faultOf(missing)).message).to.equal(`${missing}: there is no such folder; ${remedy}`);
  });

  it('separates what another look may mend from what it will not', async () => {
    writeFileSync(join(folder, 'a.pem'), 'x', { mode: 0o600 });
    expect((await faultOf(join(folder, 'a.pem'))).isTransient).to.equal(true);
  });
});

describe('generateKey', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes keys that their owner alone may read', () => {
    const made = join(folder, 'made');
    generateKey(made, 'dev');
    expect(statSync(join(made, 'dev.pem')).mode & 0o777).to.equal(0o600);
    expect(statSync(made).mode & 0o777).to.equal(0o700);
    expect(() => generateKey(made, 'dev')).to.throw('EEXIST');
    expect(readdirSync(made)).to.deep.equal(['dev.pem']);
  });

  it('gives what root makes to whom the folder belongs to, who could not read it otherwise', function () {
    if (process.getuid?.() !== 0) this.skip();
    const theirs = join(folder, 'theirs');
    generateKey(theirs, 'one');
    chownSync(theirs, 12_345, 12_346);
    generateKey(theirs, 'two');
    expect(statSync(join(theirs, 'two.pem'))).to.include({ uid: 12_345, gid: 12_346 });
  });

  it('never shows half of a key to a reader meanwhile', async () => {
    generateKey(folder, 'first');
    const module = new URL('../../../src/adapters/jwt/key-files.js', import.meta.url).href;
    const script = `import { makeKey, writeKey } from ${JSON.stringify(module)};
      const { pem } = makeKey('RS256');
      for (let n = 0; n < 60; n++) writeKey(${JSON.stringify(folder)}, 'n' + n, pem);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    let most = 0;
    while (child.exitCode === null)
      most = Math.max(most, (await pemFiles(folder)).length, (await loadKeys(folder)).length);
    expect(child.exitCode).to.equal(0);
    expect(most, 'it was seen at work').to.be.above(1);
    expect(await loadKeys(folder)).to.have.length(2);
    expect(readdirSync(folder)).to.have.length(61);
  });

  it('makes no key whose name would be taken for an option', () => {
    // One in 64 names begins with a dash.
    const kids = Array.from({ length: 200 }, () => makeKey('ES256').kid);
    expect(kids.filter((kid) => kid.startsWith('-'))).to.be.empty;
  });
});
