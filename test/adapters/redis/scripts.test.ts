// Tests that the header of each script names its keys and arguments, and that scripts survive SCRIPT FLUSH.

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { APPEND_ALONE } from '../../../src/adapters/redis/append-script.js';
import { COMPARE_AND_SET } from '../../../src/adapters/redis/compare-and-set-script.js';
import { READ_LOG } from '../../../src/adapters/redis/log-read-script.js';
import { READ } from '../../../src/adapters/redis/read-script.js';
import type { Script } from '../../../src/adapters/redis/script.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { RIGHTS } from '../../../src/store-check/redis/rights-script.js';
import { RedisServer } from '../../support/redis-server.js';
import { type Opened, openReachable } from './redis-world.js';

const HOUR_MS = 3_600_000;
const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };

const numbers = (text: string, pattern: RegExp): number[] =>
  [...new Set([...text.matchAll(pattern)].map(([, number]) => Number(number)))].sort((a, b) => a - b);

describe('the scripts for Redis', () => {
  const scripts: readonly (readonly [file: string, script: Script])[] = [
    ['compare-and-set-script', COMPARE_AND_SET],
    ['read-script', READ],
    ['append-script', APPEND_ALONE],
    ['log-read-script', READ_LOG],
    ['../../store-check/redis/rights-script', RIGHTS],
  ];
  for (const [file, script] of scripts) {
    it(`have a header that names what they use: ${file}`, async () => {
      const source = await readFile(new URL(`../../../src/adapters/redis/${file}.js`, import.meta.url), 'utf8');
      const header = source.slice(0, source.indexOf('import '));
      for (const name of ['KEYS', 'ARGV']) {
        const used = numbers(script.lua, new RegExp(`${name}\\[(\\d+)\\]`, 'g'));
        expect(numbers(header, new RegExp(`^// ${name}\\[(\\d+)\\]`, 'gm')), name).to.deep.equal(used);
        expect(header.includes(name)).to.equal(script.lua.includes(name));
      }
    });
  }

  describe('on a server that forgets them', () => {
    let server: RedisServer;
    let opened: Opened;
    before(async () => {
      server = await RedisServer.start();
      opened = await openReachable(server);
    });
    after(async () => {
      await opened.store.close();
      await server.stop();
    });

    it('are sent again, and each caller is answered', async () => {
      const { store } = opened;
      const draft = { value: 'a', atLeastMs: 0 };
      await server.raw.script('FLUSH');
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () =>
          store.compareAndSet(KEY, undefined, { ...draft, lifetimeMs: HOUR_MS, notAfterMs: store.now(0) + HOUR_MS }),
        ),
      );
      expect(outcomes.filter(({ applied }) => applied)).to.have.length(1);
      await server.raw.script('FLUSH');
      expect(await Promise.all([store.read([KEY]), store.read([KEY])])).to.deep.equal([
        [outcomes[0]?.current],
        [outcomes[0]?.current],
      ]);
      expect(store.reachableSinceMs).to.be.a('number');
    });
  });
});
