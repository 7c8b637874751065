// Tests that a closed store leaves no open handle, in any state of its server.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { StoreUnavailable } from '../../../src/core/errors.js';
import { BUSY_MS } from '../../support/busy.js';
import { RedisServer } from '../../support/redis-server.js';
import { openReachable, openStore } from './redis-world.js';

const CHILD = fileURLToPath(new URL('./open-and-close.js', import.meta.url));

describe('a store on Redis that is closed', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.stop());

  it('refuses what is under way, and does not wait for it', async () => {
    const { store } = await openReachable(server);
    server.pause();
    const read = store.read([{ kind: 'birth', shard: 0 }]).catch((reason: unknown) => reason);
    await new Promise(setImmediate);
    const startMs = performance.now();
    await store.close();
    expect(performance.now() - startMs).to.be.below(BUSY_MS);
    expect(await read).to.be.instanceOf(StoreUnavailable);
    server.resume();
  });

  it('rejects the promise of those that wait for it to open', async () => {
    const { store } = openStore('redis://127.0.0.1:1');
    const opened = store.opened().catch((reason: unknown) => reason);
    await store.close();
    expect(await opened).to.be.instanceOf(StoreUnavailable);
  });

  for (const state of ['answers', 'hangs', 'hangs before it is reached', 'is not there']) {
    it(`lets the process end by itself when the server ${state}`, async () => {
      const url = state === 'is not there' ? 'redis://127.0.0.1:1' : server.url;
      const child = spawn(process.execPath, [CHILD, url, state], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      if (state === 'hangs before it is reached') server.pause();
      child.on('message', (message) => {
        if (message === 'opened' && state === 'hangs') server.pause();
        child.send('go on');
      });
      const [code] = await once(child, 'exit');
      server.resume();
      expect(code).to.equal(0);
    });
  }
});
