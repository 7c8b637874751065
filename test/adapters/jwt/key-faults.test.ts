// Tests that a ring of keys follows its folder and nothing else: what is broken, half there, or as before.

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
      'no safe folder: others may add keys': () => {
        folder.add('bad');
        chmodSync(folder.path, 0o777);
      },
      'no folder': () => renameSync(folder.path, `${folder.path}.away`),
    };

    for (const [fault, happen] of Object.entries(FAULTS)) {
      it(`stays as it was (${fault}), says so once, and goes on when that is mended`, async () => {
        const good = tokenOf(ring);
        const { pem, kid: added } = makeKey('ES256');
        happen();
        for (let looks = 0; looks < 3; looks++) await ring.look();
        expect(verdict(ring, good)).to.equal('good');
        expect(ring.signingKid).to.equal(old);
        expect(ring.publicKeys().map(({ kid }) => kid)).to.deep.equal([old]);
        expect(folder.log.of('error'), fault).to.have.length(1);
        expect(folder.log.text).to.not.include('hunter2').and.not.include('BEGIN');

        if (fault === 'no folder') renameSync(`${folder.path}.away`, folder.path);
        chmodSync(folder.path, 0o700);
        rmSync(folder.file('bad'), { force: true });
        writeKey(folder.path, 'new', pem);
        await ring.look();
        expect(ring.publicKeys().map(({ kid }) => kid)).to.include(added);
        expect(folder.log.of('info').filter((line) => line.includes('is valid again'))).to.have.length(1);
        expect(folder.log.of('error')).to.have.length(1);
      });
    }

    for (const [fault, happen] of Object.entries(FAULTS).filter(([name]) => !name.startsWith('no '))) {
      it(`follows the files beside it (${fault}): one that is gone takes its key along, a new one brings its own`, async () => {
        const leaked = tokenOf(ring);
        happen();
        const added = folder.add('new');
        await ring.look();
        expect(ring.publicKeys().map(({ kid }) => kid)).to.have.members([old, added]);
        rmSync(folder.file('old'));
        for (let looks = 0; looks < 3; looks++) await ring.look();
        expect(verdict(ring, leaked)).to.equal('UNKNOWN_KEY');
        expect(ring.signingKid).to.equal(added);
        expect(folder.log.of('error'), 'the broken file alone is a fault').to.have.length(1);
        rmSync(folder.file('bad'));
        await ring.look();
        expect(ring.publicKeys().map(({ kid }) => kid)).to.deep.equal([added]);
      });
    }

    it('keeps a key whose own file is broken, until that file is gone or holds another', async () => {
      const other = folder.add('other', 2 * DAY);
      await ring.look();
      const kids = (): readonly string[] => ring.publicKeys().map(({ kid }) => kid);
      for (const harm of [
        () => chmodSync(folder.file('old'), 0o644),
        () => writeFileSync(folder.file('old'), 'half'),
      ]) {
        harm();
        await ring.look();
        expect(kids()).to.have.members([old, other]);
        expect(ring.signingKid).to.equal(old);
      }
      rmSync(folder.file('old'));
      const next = folder.add('old');
      await ring.look();
      expect(kids()).to.have.members([next, other]);
      chmodSync(folder.file('other'), 0o644);
      await ring.look();
      expect(kids()).to.have.members([next, other]);
      rmSync(folder.file('other'));
      await ring.look();
      expect(kids()).to.deep.equal([next]);
    });

    it('takes no key away while no file is in order', async () => {
      folder.add('other', 2 * DAY);
      await ring.look();
      writeFileSync(folder.file('old'), 'half');
      rmSync(folder.file('other'));
      await ring.look();
      expect(ring.publicKeys()).to.have.length(2);
      expect(folder.log.of('error')).to.have.length(1);
    });

    it('follows a folder that is again as it was before a file of it could not be read for a while', async () => {
      folder.add('other', 2 * DAY);
      // By a link, that can go and come without a trace in what it leads to.
      const away = `${folder.file('other')}.away`;
      renameSync(folder.file('other'), away);
      symlinkSync(away, folder.file('other'));
      await ring.look();
      rmSync(folder.file('other'));
      symlinkSync('nowhere', folder.file('bad'));
      await ring.look();
      expect(ring.publicKeys()).to.have.length(1);
      rmSync(folder.file('bad'));
      symlinkSync(away, folder.file('other'));
      await ring.look();
      expect(ring.publicKeys()).to.have.length(2);
    });

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
