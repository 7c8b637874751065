// Tests of `latchkey keys` on real folders: what each command does, refuses and says.

import {
  chmodSync,
  copyFileSync,
  existsSync,
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
import { generateKey, type KeyFile, loadKeys } from '../../src/adapters/jwt/key-files.js';
import { commandHere } from '../support/command-here.js';
import { runCommand } from '../support/processes.js';
import { DAY, MINUTE } from '../support/world.js';

describe('latchkey keys', () => {
  let root: string;
  let folder: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'latchkey-keys-command-'));
    folder = join(root, 'keys');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const keys = (args: string, env: Record<string, string> = {}) =>
    commandHere(['keys', ...args.split(' ')], { JWT_KEYS_DIR: folder, ...env });

  /** What a command says that must go well. */
  async function does(args: string, env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await keys(args, env);
    expect([code, stderr], args).to.deep.equal([0, '']);
    return stdout;
  }

  /** What a command says that must refuse, and change nothing. */
  async function refuses(args: string, env: Record<string, string> = {}): Promise<string> {
    const before = existsSync(folder) ? readdirSync(folder) : [];
    const { code, stdout, stderr } = await keys(args, env);
    expect([code, stdout], args).to.deep.equal([1, '']);
    expect(stderr).to.not.include('    at ');
    expect(existsSync(folder) ? readdirSync(folder) : []).to.deep.equal(before);
    return stderr;
  }

  /** Puts a key into the folder, dated back. */
  function add(name: string, agoMs: number): void {
    const path = generateKey(folder, name);
    utimesSync(path, new Date(), new Date(Date.now() - agoMs));
  }

  /** The keys that are there, by the names of their files. */
  async function held(): Promise<Record<string, KeyFile>> {
    const files = await loadKeys(folder);
    return Object.fromEntries(files.map((file) => [file.path.slice(folder.length + 1, -'.pem'.length), file]));
  }

  const kidOf = async (name: string): Promise<string> => (await held())[name]?.kid ?? '';

  /** The state of a key in a listing. */
  const stateIn = (listing: string, kid: string): string =>
    listing
      .split('\n')
      .find((line) => line.startsWith(kid))
      ?.split(/ {2,}/)[3] ?? '';

  describe('generate', () => {
    it('makes the first key, for its owner alone', async () => {
      const said = await does('generate');
      const [key, ...more] = await loadKeys(folder);
      expect(more).to.be.empty;
      expect(said).to.include(key.kid).and.include(key.path).and.include(`JWT_KEYS_DIR=${folder}`);
      expect(statSync(folder).mode & 0o777).to.equal(0o700);
      expect(statSync(key.path).mode & 0o777).to.equal(0o600);
      expect(key.key.algorithm).to.equal('ES256');
      expect(readdirSync(folder)).to.have.length(1);
    });

    it('makes one of RSA where that is asked for, and none of another kind', async () => {
      const { code, stderr } = await keys('generate --algorithm HS256');
      expect(code).to.equal(2);
      expect(stderr).to.include('found HS256, wanted ES256 or RS256');
      await does('generate --algorithm RS256');
      const [{ key }] = await loadKeys(folder);
      expect(key.algorithm).to.equal('RS256');
      expect(key.sign.asymmetricKeyDetails?.modulusLength).to.be.at.least(2048);
    });

    it('refuses where there are keys, and names the command for that', async () => {
      add('a', DAY);
      expect(await refuses('generate')).to.include('latchkey keys rotate');
    });

    it('does and says the same in a process of its own', async () => {
      const env = { JWT_KEYS_DIR: folder };
      const made = await runCommand(['keys', 'generate'], env);
      const [{ kid }] = await loadKeys(folder);
      expect([made.code, made.stderr, made.stdout.includes(kid)]).to.deep.equal([0, '', true]);
      const args = ['keys', 'retire', kid];
      const refused = await runCommand(args, env);
      expect(refused.code).to.equal(1);
      expect(refused).to.deep.equal(await commandHere(args, env));
      expect(await runCommand(['keys', 'list'], env)).to.deep.equal(await commandHere(['keys', 'list'], env));
    });

    it("works on dev's own keys where no folder is named", async () => {
      await does('generate', { JWT_KEYS_DIR: '', DATA_DIR: root });
      expect(await loadKeys(folder)).to.have.length(1);
    });
  });

  describe('rotate', () => {
    it('makes a new key, says when it signs, and when the old one may go', async () => {
      add('old', DAY);
      const old = await kidOf('old');
      const startMs = Date.now();
      const said = await does('rotate', { JWT_KEY_DELAY: '5m', REFRESH_TTL: '2d' });
      const made = (await loadKeys(folder))[0];
      expect(made.kid).to.not.equal(old);
      expect(said).to.include(made.kid).and.include(`latchkey keys retire ${old}`);
      const [signs = 0, goes = 0] = [...said.matchAll(/\d{4}-\S+Z/g)].slice(-2).map(([at]) => Date.parse(at) - startMs);
      expect(signs).to.be.within(5 * MINUTE, 6 * MINUTE);
      expect(goes).to.be.within(2 * DAY + 20 * MINUTE, 2 * DAY + 25 * MINUTE);
    });

    it('refuses where there is no key, or where a key has a date to come', async () => {
      expect(await refuses('rotate')).to.include('latchkey keys generate');
      add('odd', -DAY);
      expect(await refuses('rotate'))
        .to.include('in the future')
        .and.include("touch '");
    });

    it('refuses where a file is not in order: no node would start', async () => {
      add('old', DAY);
      chmodSync(join(folder, 'old.pem'), 0o644);
      expect(await refuses('rotate')).to.include('chmod o=');
    });

    it('says what to do where JWT_ACTIVE_KID keeps a new key from signing', async () => {
      add('old', DAY);
      const said = await does('rotate', { JWT_ACTIVE_KID: await kidOf('old') });
      expect(said).to.include(`set JWT_ACTIVE_KID=${(await loadKeys(folder))[0].kid}`);
    });
  });

  describe('list', () => {
    it('shows of each key its name, algorithm, date, file, and what it is good for', async () => {
      add('retired', 100 * DAY);
      add('old', 60 * DAY);
      add('signing', DAY);
      add('young', 0);
      const listing = await does('list');
      const { retired, old, signing, young } = await held();
      expect(stateIn(listing, signing?.kid ?? '')).to.equal('signs');
      expect(stateIn(listing, young?.kid ?? '')).to.match(/^verifies, will sign at 20/);
      expect(stateIn(listing, old?.kid ?? '')).to.match(/^verifies, may be retired from 20/);
      expect(stateIn(listing, retired?.kid ?? '')).to.match(/^verifies, may be retired since 20/);
      for (const { path, key, kid } of [retired, old, signing, young] as KeyFile[]) {
        expect(listing).to.match(new RegExp(`^${kid} +${key.algorithm} +20\\S+Z .* ${path}$`, 'm'));
      }
    });

    it('goes by JWT_ACTIVE_KID, and says so if that is not there', async () => {
      add('old', 2 * DAY);
      add('new', DAY);
      const [old, fresh] = [await kidOf('old'), await kidOf('new')];
      const listing = await does('list', { JWT_ACTIVE_KID: old });
      expect(stateIn(listing, old)).to.equal('signs');
      expect(stateIn(listing, fresh)).to.equal('verifies, JWT_ACTIVE_KID names another');
      expect(await does('list', { JWT_ACTIVE_KID: 'nowhere' })).to.include(
        'JWT_ACTIVE_KID names nowhere, which is none',
      );
    });

    it('says what to do where there is no key', async () => {
      expect(await refuses('list')).to.include('latchkey keys generate');
    });
  });

  describe('retire', () => {
    it('removes a key of which no token can be alive', async () => {
      add('old', 60 * DAY);
      add('new', 8 * DAY);
      const said = await does(`retire ${await kidOf('old')}`);
      expect(said)
        .to.include('old.pem')
        .and.include(await kidOf('new'));
      expect(Object.keys(await held())).to.deep.equal(['new']);
    });

    it('refuses while its refresh tokens may live, and says until when', async () => {
      add('old', 60 * DAY);
      add('new', 8 * DAY);
      const kid = await kidOf('old');
      const said = await refuses(`retire ${kid}`, { REFRESH_TTL: '14d' });
      expect(said)
        .to.match(/may be valid until 20\S+Z/)
        .and.include('--compromised');
      await does(`retire ${kid} --compromised`, { REFRESH_TTL: '14d' });
      expect(Object.keys(await held())).to.deep.equal(['new']);
    });

    it('refuses the one that signs, unless it is compromised', async () => {
      add('old', 60 * DAY);
      add('new', DAY);
      const kid = await kidOf('new');
      expect(await refuses(`retire ${kid}`)).to.include('latchkey keys rotate');
      expect(await does(`retire ${kid} --compromised`)).to.include(`${await kidOf('old')} signs`);
    });

    it('refuses one that has still to sign', async () => {
      add('old', DAY);
      add('young', 0);
      expect(await refuses(`retire ${await kidOf('young')}`)).to.include('it is unknown whether it has signed');
    });

    it('never removes the last one', async () => {
      add('only', 60 * DAY);
      const kid = await kidOf('only');
      for (const args of [`retire ${kid}`, `retire ${kid} --compromised`]) {
        expect(await refuses(args))
          .to.include('the last key')
          .and.include('latchkey keys rotate');
      }
    });

    it('removes a compromised one beside a file that is not in order, which it names, but not the last that is', async () => {
      add('leaked', 60 * DAY);
      add('next', DAY);
      const [leaked, next] = [await kidOf('leaked'), await kidOf('next')];
      writeFileSync(join(folder, 'broken.pem'), 'nonsense', { mode: 0o600 });
      expect(await refuses(`retire ${leaked}`)).to.include('broken.pem');
      expect(await refuses('retire nothing --compromised'))
        .to.include(leaked)
        .and.include('broken.pem')
        .and.include('delete that file');
      const { code, stdout, stderr } = await keys(`retire ${leaked} --compromised`);
      expect([code, stderr.includes('warning'), stderr.includes('broken.pem')]).to.deep.equal([0, true, true]);
      expect(stdout).to.include(`${next} signs`);
      expect(readdirSync(folder)).to.have.members(['next.pem', 'broken.pem']);
      expect(await refuses(`retire ${next} --compromised`)).to.include('the last key');
    });

    it('removes every file of the key', async () => {
      add('old', 60 * DAY);
      add('new', 8 * DAY);
      copyFileSync(join(folder, 'old.pem'), join(folder, 'copy.pem'));
      utimesSync(join(folder, 'copy.pem'), new Date(0), new Date(Date.now() - 50 * DAY));
      await does(`retire ${await kidOf('copy')}`);
      expect(readdirSync(folder)).to.deep.equal(['new.pem']);
    });

    it('says which keys there are if there is no such', async () => {
      add('only', DAY);
      expect(await refuses('retire nothing')).to.include(await kidOf('only'));
    });
  });

  it('says what it does not know', async () => {
    for (const args of ['', 'forge', 'retire', 'list extra', 'list --algorithm ES256', 'rotate --compromised']) {
      const { code, stderr } = await keys(args);
      expect(code, args).to.equal(2);
      expect(stderr, args).to.include('latchkey --help');
    }
  });
});
