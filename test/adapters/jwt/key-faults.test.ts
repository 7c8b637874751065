// Owns the proof that a ring of keys follows its folder and nothing else: what is broken, half there, or as before.

import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { KeyFileError, makeKey, writeKey } from '../../../src/adapters/jwt/key-files.js';
import type { KeyRing } from '../../../src/adapters/jwt/key-ring.js';
import { DAY } from '../../support/world.js';
import { KeyFolder, tokenOf, verdict } from './key-folder.js';

describe('a ring of keys, looking at its folder', () => {
  let folder: KeyFolder;

  beforeEach(() => {
    folder = new KeyFolder();
  });
  afterEach(() => folder.remove());

  describe('that is not in order', () => {
    let ring: KeyRing;
    let old: string;

    beforeEach(async () => {
      old = folder.add('old', DAY);
      ring = await folder.open();
    });

    const FAULTS: Readonly<Record<string, () => void>> = {
      'a file that is no key': () => writeFileSync(folder.file('bad'), 'hunter2', { mode: 0o600 }),
      'half a key': () => writeFileSync(folder.file('bad'), makeKey('ES256').pem.slice(0, 100), { mode: 0o600 }),
      'a key that everybody may read': () => {
        folder.add('bad');
        chmodSync(folder.file('bad'), 0o644);
      },
      'a link that leads nowhere': () => symlinkSync('nowhere', folder.file('bad')),
      'no key at all': () => rmSync(folder.file('old')),
      'no folder': () => renameSync(folder.path, `${folder.path}.away`),
    };

    for (const [fault, happen] of Object.entries(FAULTS)) {
      it(`stays as it was (${fault}), says so once, and goes on when that is mended`, async () => {
        const good = tokenOf(ring);
        const { pem, kid: added } = makeKey('ES256');
        happen();
        // What is right beside it is not taken either: half of a change is none.
        if (fault !== 'no folder' && fault !== 'no key at all') writeKey(folder.path, 'new', pem);
        for (let looks = 0; looks < 3; looks++) await ring.look();
        expect(verdict(ring, good)).to.equal('good');
        expect(ring.signingKid).to.equal(old);
        expect(ring.publicKeys().map(({ kid }) => kid)).to.deep.equal([old]);
        expect(folder.log.of('error'), fault).to.have.length(1);
        expect(folder.log.text).to.not.include('hunter2').and.not.include('BEGIN');

        if (fault === 'no folder') renameSync(`${folder.path}.away`, folder.path);
        rmSync(folder.file('bad'), { force: true });
        writeKey(folder.path, fault.startsWith('no ') ? 'new' : 'newer', pem);
        await ring.look();
        expect(ring.publicKeys().map(({ kid }) => kid)).to.include(added);
        expect(folder.log.of('info').filter((line) => line.includes('in order again'))).to.have.length(1);
        expect(folder.log.of('error')).to.have.length(1);
      });
    }

    it('reads files that are as bad as before no second time', async () => {
      writeFileSync(folder.file('bad'), 'nonsense', { mode: 0o600 });
      const before = folder.reads;
      for (let looks = 0; looks < 3; looks++) await ring.look();
      expect(folder.reads - before).to.equal(1);
      expect(folder.log.of('error')).to.have.length(1);
    });

    it('says of another fault that it is another', async () => {
      writeFileSync(folder.file('bad'), 'nonsense', { mode: 0o600 });
      await ring.look();
      writeFileSync(folder.file('worse'), 'nonsense', { mode: 0o600 });
      await ring.look();
      expect(folder.log.of('error')).to.have.length(2);
    });

    it('says nothing of a file that went away between two steps of a look', async () => {
      let first = true;
      folder.weather = () => {
        if (first) {
          first = false;
          throw new KeyFileError('gone', true);
        }
      };
      await ring.look();
      expect(first).to.equal(false);
      expect(folder.log.of('error')).to.be.empty;
    });
  });

  it('follows a folder that is swapped as a whole, as mounts of Kubernetes are', async () => {
    const [first, second] = [makeKey('ES256'), makeKey('ES256')];
    const fill = (version: string, ...pems: string[]): void => {
      mkdirSync(join(folder.path, version));
      for (const [index, pem] of pems.entries()) writeKey(join(folder.path, version), `${index}`, pem);
      symlinkSync(version, join(folder.path, '..data_tmp'));
      renameSync(join(folder.path, '..data_tmp'), join(folder.path, '..data'));
    };
    fill('..v1', first.pem);
    symlinkSync('..data/0.pem', folder.file('0'));
    const ring = await folder.open();
    expect(ring.publicKeys().map(({ kid }) => kid)).to.deep.equal([first.kid]);
    fill('..v2', second.pem);
    await ring.look();
    expect(ring.publicKeys().map(({ kid }) => kid)).to.deep.equal([second.kid]);
    expect(folder.log.of('error')).to.be.empty;
  });

  it('reads files only if something about them has changed', async () => {
    folder.add('a');
    const ring = await folder.open();
    await ring.look();
    const { reads } = folder;
    for (let looks = 0; looks < 5; looks++) await ring.look();
    expect(folder.reads).to.equal(reads);
    folder.add('b');
    await ring.look();
    expect(folder.reads).to.equal(reads + 1);
  });
});
