// Tests that a token of an unknown key causes a look at the folder: at once, rarely, without long waits for callers.

import { expect } from 'chai';
import type { KeyRing } from '../../../src/adapters/jwt/key-ring.js';
import { KEY_POLL_MS } from '../../../src/core/key-schedule.js';
import { answerWithin, until } from '../../support/waiting.js';
import { DAY, SECOND } from '../../support/world.js';
import { KeyFolder, tokenOf, verdict } from './key-folder.js';

describe('a rescan for an unknown key', () => {
  let folder: KeyFolder;
  let ring: KeyRing;

  beforeEach(async () => {
    folder = new KeyFolder();
    folder.add('old', DAY);
    ring = await folder.open();
    // The first look after the start reads what the start has read.
    await ring.look();
    folder.looks = 0;
  });
  afterEach(() => folder.remove());

  it('finds a key that has just come, and says that there is something new', async () => {
    folder.add('new');
    expect(await ring.rescan()).to.equal(true);
    expect(ring.publicKeys()).to.have.length(2);
    folder.pass(SECOND);
    expect(await ring.rescan(), 'nothing new').to.equal(false);
  });

  it('looks once a second at most, however many ask', async () => {
    for (let ms = 0; ms < 3_000; ms += 10) {
      await Promise.all(Array.from({ length: 10 }, () => ring.rescan()));
      folder.pass(10);
    }
    expect(folder.looks).to.equal(3);
  });

  it('looks although the ring has just looked by itself', async () => {
    await ring.look();
    folder.add('new');
    expect(await ring.rescan()).to.equal(true);
  });

  it('is one look for all that ask while it is under way, and all of them get the new key', async () => {
    let open = (): void => {};
    folder.weather = () => new Promise<void>((resolve) => (open = resolve));
    folder.add('new');
    const asked = Array.from({ length: 20 }, () => ring.rescan());
    open();
    expect(await Promise.all(asked)).to.deep.equal(Array(20).fill(true));
    expect(folder.looks).to.equal(1);
  });

  it('leaves a disk that hangs alone after half a second; who comes later does not wait at all', async () => {
    let open = (): void => {};
    folder.weather = () => new Promise<void>((resolve) => (open = resolve));
    const token = tokenOf(ring);
    folder.add('new');
    const startMs = performance.now();
    const first = ring.rescan();
    expect(verdict(ring, token), 'tokens of known keys do not wait').to.equal('good');
    expect(await first).to.equal(false);
    expect(performance.now() - startMs).to.be.within(400, 3_000);

    folder.pass(SECOND);
    const later = Promise.all(Array.from({ length: 100 }, () => ring.rescan()));
    expect(await answerWithin(400, later)).to.deep.equal(Array(100).fill(false));
    expect(folder.looks, 'no second thread is given to it').to.equal(1);

    folder.pass(10 * SECOND);
    const done = ring.look();
    void ring.look();
    expect(folder.log.of('error')).to.have.length(1);
    expect(folder.log.of('error')[0]).to.include('does not answer');
    folder.weather = () => {};
    open();
    await done;
    expect(ring.publicKeys()).to.have.length(2);
    expect(folder.log.of('info').join()).to.include('is valid again');
  });

  it('says no, and does not fail, where the folder is not in order', async () => {
    folder.weather = () => {
      throw new Error('an input/output error');
    };
    expect(await ring.rescan()).to.equal(false);
    expect(folder.log.of('error')).to.have.length(1);
  });

  it('is not needed for long: the ring looks by itself every few seconds once it is started', async () => {
    expect(KEY_POLL_MS).to.be.at.most(5_000);
    ring.start();
    folder.add('new');
    await until(() => ring.publicKeys().length === 2, 5 * KEY_POLL_MS);
    ring.close();
  });
});
