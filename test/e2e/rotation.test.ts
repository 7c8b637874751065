// Tests that keys change while nodes run: under load on two of them nothing is lost, nor where a file is late.

import { copyFileSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { generateKey, loadKeys } from '../../src/adapters/jwt/key-files.js';
import { commandHere } from '../support/command-here.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { DAY } from '../support/world.js';
import { type RunningNode, Stage } from './stage.js';
import { headerOf } from './tokens.js';

/** Puts a key into a folder, dated back. Returns its file. */
function addKey(folder: string, name: string, agoMs: number): string {
  const path = generateKey(folder, name);
  utimesSync(path, new Date(), new Date(Date.now() - agoMs));
  return path;
}

const kidOf = (token: string): string => String(headerOf(token)['kid']);

/** The kid that a node signs with now. */
const signs = async ({ client }: RunningNode): Promise<string> => kidOf((await client.issue()).accessToken);

const hasLogged = (node: RunningNode, message: string): boolean =>
  node.process.lines().some(({ msg }) => String(msg).startsWith(message));

describe('keys that change while nodes run', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;

  before(async () => {
    redis = await stage.redis();
  });
  after(() => stage.clear());

  describe('two nodes under load on one folder, whose key is rotated twice and an old one retired', () => {
    const CLIENTS = 4;
    /** How long a client pauses between two steps, ms. */
    const PAUSE_MS = 200;
    const LEAST_CALLS = 200;
    /** Longer than a node takes to look at its folder again: each has a new key before any signs with it. */
    const DELAY = '2500ms';
    let folder: string;
    let nodes: readonly [RunningNode, RunningNode];
    const kids = new Set<string>();
    const failures: string[] = [];
    let calls = 0;
    let going = true;

    /** A client that takes each next step at the other node. */
    async function client(number: number): Promise<void> {
      let turn = number;
      const next = (): RunningNode['client'] => (nodes[turn++ % 2] as RunningNode).client;
      const counted = async <T>(call: Promise<T>): Promise<T> => {
        calls++;
        return call;
      };
      while (going) {
        try {
          let pair = await counted(next().issue(`client-${number}`));
          for (let step = 0; step < 5; step++) {
            kids.add(kidOf(pair.accessToken));
            if ((await counted(next().verdict(pair.accessToken))) !== 'active')
              failures.push('a good token was refused');
            const traded = pair.refreshToken;
            pair = await counted(next().refresh(traded));
            const retried = await counted(next().refresh(traded));
            if (retried.sessionId !== pair.sessionId) failures.push('a retry got another session');
            if ((await counted(next().verdict(retried.accessToken))) !== 'active')
              failures.push('a retry got a dead token');
            turn++;
            await elapse(PAUSE_MS, 'the pace of the load');
          }
          await counted(next().logout({ refreshToken: pair.refreshToken }));
        } catch (error) {
          failures.push(String(error));
        }
      }
    }

    before(async () => {
      folder = await stage.folder();
      addKey(folder, 'oldest', 100 * DAY);
      addKey(folder, 'first', 50 * DAY);
      const env = { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: DELAY, LOG_LEVEL: 'info' };
      nodes = [await stage.serveHere(redis, env), await stage.serve(redis, env)];
    });

    it('loses no request', async () => {
      const [, oldest] = (await loadKeys(folder)).map(({ kid }) => kid);
      const load = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
      const command = async (...args: string[]): Promise<void> => {
        const { code, stderr } = await commandHere(['keys', ...args], { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: DELAY });
        expect([code, stderr]).to.deep.equal([0, '']);
      };
      try {
        for (let rotation = 0; rotation < 2; rotation++) {
          await command('rotate');
          const [{ kid }] = await loadKeys(folder);
          for (const node of nodes) await until(async () => (await signs(node)) === kid, 30_000);
        }
        await command('retire', oldest ?? '');
        for (const node of nodes) await until(() => hasLogged(node, 'key removed'), 30_000);
        const most = Math.max(calls + 50, LEAST_CALLS + 1);
        await until(() => calls >= most, 30_000);
      } finally {
        going = false;
        await load;
      }
      expect(failures).to.deep.equal([]);
      expect(kids.size, 'keys that signed').to.equal(3);
      expect(calls).to.be.above(LEAST_CALLS);
      for (const node of nodes) expect(node.process.lines().filter(({ level }) => level === 'error')).to.be.empty;
    });

    it('answers for a token that it has seen before that its key is unknown, once the file is taken away', async () => {
      const own = await stage.folder();
      addKey(own, 'older', 2 * DAY);
      const file = addKey(own, 'newer', DAY);
      const node = await stage.serveHere(redis, { JWT_KEYS_DIR: own, LOG_LEVEL: 'info' });
      const { accessToken } = await node.client.issue();
      const many = async () => (await node.client.validateMany([accessToken])).map((each) => each.validation?.problem);
      for (let time = 0; time < 2; time++) expect(await node.client.verdict(accessToken)).to.equal('active');
      expect(await many()).to.deep.equal([TokenProblem.TOKEN_PROBLEM_UNSPECIFIED]);
      renameSync(file, `${file}.away`);
      await until(() => hasLogged(node, 'key removed'), 30_000);
      expect(await node.client.verdict(accessToken)).to.equal('UNKNOWN_KEY');
      expect(await many()).to.deep.equal([TokenProblem.TOKEN_PROBLEM_UNKNOWN_KEY]);
    });

    it('refuses tokens of a compromised key within seconds of its retirement, and the new one signs at once', async () => {
      const env = { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: '1h' };
      const [one, other] = [await stage.serveHere(redis, env), await stage.serveHere(redis, env)];
      const { accessToken, refreshToken } = await one.client.issue();
      expect(await other.client.verdict(accessToken)).to.equal('active');
      const leaked = (await loadKeys(folder)).map(({ kid }) => kid);
      expect((await commandHere(['keys', 'rotate'], env)).code).to.equal(0);
      for (const kid of leaked) {
        expect((await commandHere(['keys', 'retire', kid, '--compromised'], env)).code).to.equal(0);
      }
      const [{ kid }, ...none] = await loadKeys(folder);
      expect(none).to.be.empty;
      for (const node of [one, other]) await until(async () => (await signs(node)) === kid, 30_000);
      for (const node of [one, other]) expect(await node.client.verdict(accessToken)).to.equal('UNKNOWN_KEY');
      expect(await one.client.refresh(refreshToken).catch((error: Error) => error.message)).to.include(
        'no key of ours',
      );
      expect(await other.client.verdict((await one.client.issue()).accessToken)).to.equal('active');
    });
  });

  describe('two nodes with folders of their own', () => {
    async function pair(delay: string): Promise<{ folders: [string, string]; nodes: [RunningNode, RunningNode] }> {
      const root = await stage.folder();
      const folders: [string, string] = [join(root, 'a'), join(root, 'b')];
      for (const folder of folders) mkdirSync(folder);
      copy(addKey(folders[0], 'first', DAY), folders[1]);
      const serve = (folder: string) => stage.serveHere(redis, { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: delay });
      return { folders, nodes: [await serve(folders[0]), await serve(folders[1])] };
    }

    const copy = (file: string, folder: string): void => copyFileSync(file, join(folder, basename(file)));

    it('take the tokens of each other where the file comes late to one, but before the delay ends', async () => {
      const { folders, nodes } = await pair('2s');
      const [a, b] = nodes;
      const file = addKey(folders[0], 'second', 0);
      await until(() => hasLogged(a, 'key added'), 30_000);
      await elapse(500, 'the file comes late');
      copy(file, folders[1]);
      const kids = new Set<string>();
      await until(async () => {
        const { accessToken, refreshToken } = await a.client.issue();
        expect(await b.client.verdict(accessToken)).to.equal('active');
        kids.add(kidOf((await b.client.refresh(refreshToken)).accessToken)).add(kidOf(accessToken));
        return kids.size === 2;
      }, 10_000);
    });

    it('look once more before they refuse a token of a key that they do not know', async () => {
      const { folders, nodes } = await pair('0s');
      const [a, b] = nodes;
      const before = await signs(a);
      const file = addKey(folders[0], 'second', 0);
      await until(async () => (await signs(a)) !== before, 30_000);
      const { accessToken, refreshToken } = await a.client.issue();
      expect(await b.client.verdict(accessToken), 'its file is not there yet').to.equal('UNKNOWN_KEY');
      // The folder is looked at every two seconds anyway: rarely in the moment that is tried here.
      await elapse(1_100, 'an unknown key makes the node look once a second');
      copy(file, folders[1]);
      expect(await b.client.verdict(accessToken)).to.equal('active');
      expect((await b.client.refresh(refreshToken)).sessionId).to.not.equal('');
    });
  });
});
