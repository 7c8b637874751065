// Tests of which key of a folder signs and when, while files come, go and break.

import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import { KeyFileError, makeKey, writeKey } from '../../../src/adapters/jwt/key-files.js';
import { keyFromSecret } from '../../../src/adapters/jwt/signing-key.js';
import { redactByShape } from '../../../src/platform/redaction.js';
import { DAY, MINUTE, SECOND } from '../../support/world.js';
import { KeyFolder, tokenOf, verdict } from './key-folder.js';

describe('a ring of keys', () => {
  let folder: KeyFolder;

  beforeEach(() => {
    folder = new KeyFolder();
  });
  afterEach(() => folder.remove());

  /** The kids that the log calls so. */
  const kidsLogged = (message: string): unknown[] =>
    folder.log.lines.filter((line) => line.message.startsWith(message)).map(({ fields }) => fields['kid']);

  it('signs with the newest, and verifies with all', async () => {
    const kids = [folder.add('a', 3 * DAY), folder.add('b', DAY), folder.add('c', 2 * DAY, 'RS256')];
    const ring = await folder.open();
    expect(ring.signingKid).to.equal(kids[1]);
    for (const kid of kids) expect(verdict(ring, tokenOf(ring, kid))).to.equal('good');
  });

  describe('two keys whose dates are within seconds of each other', () => {
    const warnings = () => folder.log.lines.filter(({ level }) => level === 'warn');
    /** The kids of the first warning, as the log writes them: it hides long random texts. */
    const kidsShown = (): unknown[] => {
      const { keys } = JSON.parse(redactByShape(JSON.stringify(warnings()[0]?.fields))) as { keys: { kid: unknown }[] };
      return keys.map(({ kid }) => kid);
    };

    it('are warned of, for another node may sign with the other one', async () => {
      folder.add('oldest', 9 * DAY);
      const kids = [folder.add('a', DAY), folder.add('b', DAY + 3 * SECOND)];
      await folder.open();
      expect(warnings()).to.have.length(1);
      expect(warnings()[0]?.message).to.include('set JWT_ACTIVE_KID on every node');
      expect(kidsShown()).to.deep.equal(kids);
    });

    it('are warned of once while the node runs, as when a mount gives all files one date', async () => {
      const [a, b] = [folder.add('a', 5 * DAY), folder.add('b', 3 * DAY)];
      const ring = await folder.open();
      expect(warnings()).to.have.length(0);
      for (const agoMs of [0, 1]) {
        folder.date(folder.file('a'), agoMs);
        folder.date(folder.file('b'), 1 - agoMs);
        await ring.look();
      }
      expect(warnings()).to.have.length(1);
      expect(kidsShown()).to.have.members([a, b]);
    });

    it('are no matter where JWT_ACTIVE_KID names one, or another key is newer', async () => {
      const named = folder.add('a', DAY);
      folder.add('b', DAY);
      await folder.open({ activeKid: named });
      folder.add('newest', DAY - 11 * SECOND);
      await folder.open();
      expect(warnings()).to.have.length(0);
    });
  });

  describe('a new key', () => {
    it('verifies at once, and signs when the delay has passed since it was noticed', async () => {
      const old = folder.add('old', DAY);
      const ring = await folder.open();
      // Its date is of no account: the file may have come late.
      const added = folder.add('new', 10 * MINUTE);
      folder.pass(7 * SECOND);
      await ring.look();
      expect(verdict(ring, tokenOf(ring, added))).to.equal('good');
      const introspectionKid = () => decodeProtectedHeader(ring.signIntrospection({}) ?? '').kid;
      expect([ring.signingKid, introspectionKid()]).to.deep.equal([old, old]);
      folder.pass(MINUTE - 1);
      expect(ring.signingKid).to.equal(old);
      folder.pass(1);
      expect([ring.signingKid, introspectionKid()]).to.deep.equal([added, added]);
      expect(verdict(ring, tokenOf(ring, old))).to.equal('good');
    });

    it('does not follow a clock that is set', async () => {
      const old = folder.add('old', DAY);
      const ring = await folder.open();
      folder.add('new');
      await ring.look();
      folder.wallMs += DAY;
      expect(ring.signingKid).to.equal(old);
    });

    it('that is there at the start waits from its date on', async () => {
      const [old, young] = [folder.add('old', DAY), folder.add('young', 20 * SECOND)];
      const ring = await folder.open();
      expect(ring.signingKid).to.equal(old);
      folder.pass(40 * SECOND - 1);
      expect(ring.signingKid).to.equal(old);
      folder.pass(1);
      expect(ring.signingKid).to.equal(young);
    });

    it('that is dated in the future at the start waits from the start on', async () => {
      const [old, odd] = [folder.add('old', DAY), folder.add('odd', -DAY)];
      const ring = await folder.open();
      folder.pass(MINUTE - 1);
      expect(ring.signingKid).to.equal(old);
      folder.pass(1);
      expect(ring.signingKid).to.equal(odd);
    });

    it('does not wait if no other key is left', async () => {
      const first = folder.add('first');
      const ring = await folder.open();
      expect(ring.signingKid).to.equal(first);
      const second = folder.add('second');
      rmSync(folder.file('first'));
      await ring.look();
      expect(ring.signingKid).to.equal(second);
    });

    it('waits again if it went and came back', async () => {
      const old = folder.add('old', DAY);
      const { pem, kid } = makeKey('ES256');
      const path = writeKey(folder.path, 'new', pem);
      folder.date(path, MINUTE);
      const ring = await folder.open();
      expect(ring.signingKid).to.equal(kid);
      rmSync(path);
      await ring.look();
      expect(ring.signingKid).to.equal(old);
      writeKey(folder.path, 'new', pem);
      await ring.look();
      expect(ring.signingKid).to.equal(old);
      folder.pass(MINUTE);
      expect(ring.signingKid).to.equal(kid);
    });

    it('signs with the older until it may, also where that is older than others that went', async () => {
      const [oldest, middle] = [folder.add('oldest', 2 * DAY), folder.add('middle', DAY)];
      const ring = await folder.open();
      expect(ring.signingKid).to.equal(middle);
      folder.add('new');
      rmSync(folder.file('middle'));
      await ring.look();
      expect(ring.signingKid).to.equal(oldest);
    });
  });

  it('follows a date that changes at once: every node has known the key for long', async () => {
    const [a, b] = [folder.add('a', 2 * DAY), folder.add('b', DAY)];
    const ring = await folder.open();
    expect(ring.signingKid).to.equal(b);
    folder.date(folder.file('a'), 0);
    await ring.look();
    expect(ring.signingKid).to.equal(a);
  });

  it('signs again what a key has signed that is gone, with the one that signs then', async () => {
    const gone = folder.add('gone', DAY);
    const ring = await folder.open();
    const before = tokenOf(ring, gone);
    const added = folder.add('new');
    rmSync(folder.file('gone'));
    await ring.look();
    expect(verdict(ring, before)).to.equal('UNKNOWN_KEY');
    const again = tokenOf(ring, gone);
    expect(verdict(ring, again)).to.equal('good');
    expect(JSON.parse(Buffer.from(again.split('.')[0] ?? '', 'base64url').toString())).to.include({ kid: added });
  });

  describe('with a key that is named', () => {
    it('signs with that one, not with the newest', async () => {
      const [named, newest] = [folder.add('named', 2 * DAY), folder.add('newest', DAY)];
      const ring = await folder.open({ activeKid: named });
      expect(ring.signingKid).to.equal(named);
      expect(verdict(ring, tokenOf(ring, newest))).to.equal('good');
    });

    it('has it wait as any other, but for where none has waited', async () => {
      const [old, named] = [folder.add('old', DAY), folder.add('named')];
      folder.add('newest', -SECOND);
      const ring = await folder.open({ activeKid: named });
      expect(ring.signingKid).to.equal(old);
      folder.pass(MINUTE);
      expect(ring.signingKid).to.equal(named);
      // A folder that is mounted anew gives all files the date of the mount.
      for (const name of ['old', 'named', 'newest']) folder.date(folder.file(name), 0);
      expect((await folder.open({ activeKid: named })).signingKid).to.equal(named);
    });

    it('signs with JWT_SECRET where that is named, whatever comes, and verifies with the files', async () => {
      const first = folder.add('first', DAY);
      const secret = keyFromSecret('a secret for tests alone, of more than 32 bytes');
      const ring = await folder.open({ activeKid: secret.kid, others: [secret] });
      folder.add('second');
      await ring.look();
      folder.pass(DAY);
      expect(ring.signingKid).to.equal(secret.kid);
      for (const kid of [first, secret.kid]) expect(verdict(ring, tokenOf(ring, kid))).to.equal('good');
      expect(ring.publicKeys()).to.have.length(2);
      // No client has the secret.
      expect(ring.signIntrospection({})).to.equal(undefined);
    });

    it('does not start without it, and says which there are', async () => {
      const there = folder.add('there');
      const error = await folder.open({ activeKid: 'nowhere' }).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(KeyFileError);
      expect((error as Error).message)
        .to.include('no key nowhere, which JWT_ACTIVE_KID names')
        .and.include(there);
    });

    it('signs with the newest once it is gone while running, with an error in the log', async () => {
      const [named, , newest] = [folder.add('named', 3 * DAY), folder.add('b', 2 * DAY), folder.add('c', DAY)];
      const ring = await folder.open({ activeKid: named });
      rmSync(folder.file('named'));
      await ring.look();
      await ring.look();
      expect(ring.signingKid).to.equal(newest);
      expect(folder.log.of('error').join()).to.include('JWT_ACTIVE_KID was removed');
      expect(folder.log.of('error')).to.have.length(1);
    });
  });

  it('logs which keys come, go and sign, and when', async () => {
    const old = folder.add('old', DAY);
    const ring = await folder.open();
    const added = folder.add('new');
    await ring.look();
    expect(kidsLogged('key added')).to.deep.equal([added]);
    expect(kidsLogged('this key now signs')).to.deep.equal([old]);
    folder.pass(MINUTE);
    await ring.look();
    expect(kidsLogged('this key now signs')).to.deep.equal([old, added]);
    rmSync(folder.file('old'));
    await ring.look();
    expect(kidsLogged('key removed')).to.deep.equal([old]);
    expect(kidsLogged('this key now signs')).to.have.length(2);
    expect(folder.log.of('error')).to.be.empty;
  });

  it('shows of each key the members that are public, and no other', async () => {
    const [ec, rsa] = [folder.add('ec', DAY), folder.add('rsa', 2 * DAY, 'RS256')];
    const shown = new Map((await folder.open()).publicKeys().map((key) => [key.kid, key]));
    expect(shown.get(ec)).to.have.all.keys('kty', 'use', 'alg', 'kid', 'crv', 'x', 'y');
    expect(shown.get(ec)).to.include({ kty: 'EC', use: 'sig', alg: 'ES256', crv: 'P-256' });
    expect(shown.get(rsa)).to.have.all.keys('kty', 'use', 'alg', 'kid', 'n', 'e');
    expect(shown.get(rsa)).to.include({ kty: 'RSA', use: 'sig', alg: 'RS256' });
  });
});
