// Tests of the wait for replicas against scripted answers: who may share it, and which time counts as away while they are missing.

import { expect } from 'chai';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { elapse, holdsFor, until } from '../../support/waiting.js';
import { openStore } from './redis-world.js';
import { RESP, RespServer } from './resp-server.js';

/** How long WAIT takes, ms: less than half of the time for a command. */
const WAIT_MS = 300;

describe('the wait for replicas', function () {
  this.timeout(120_000);
  let server: RespServer;
  let store: RedisStore;
  let replicas: number;
  /** When each WAIT that was confirmed was taken up, the server's time, Unix ms. */
  let confirmed: number[];
  let waits: number;
  let taken: () => void;
  beforeEach(async () => {
    server = await RespServer.start();
    [replicas, confirmed, waits, taken] = [1, [], 0, () => {}];
    server.answer = async (command) => {
      if (command !== 'wait') return undefined;
      waits++;
      const [count, beganMs] = [replicas, Date.now()];
      if (count > 0) confirmed.push(beganMs);
      taken();
      await elapse(WAIT_MS, 'a slow replica');
      return RESP.number(count);
    };
    store = openStore(server.url, { minReplicas: 1, commandTimeoutMs: 1_000 }).store;
    await store.opened();
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  const settles = (): Promise<boolean> =>
    store.waitForReplicas(0, store.incarnationOf(0)).then(
      () => true,
      () => false,
    );

  it('is not shared by one that asks when it has only just begun', async () => {
    await settles();
    let late: Promise<boolean> | undefined;
    let before = 0;
    taken = () => {
      late ??= settles();
      before ||= waits;
    };
    await settles();
    expect(await late).to.equal(true);
    expect(waits).to.be.above(before);
  });

  it('counts the time as away from the begin of the last one that was confirmed, until there is one again', async () => {
    expect(await settles()).to.equal(true);
    const fromMs = store.now(0);
    while (store.reachedMsSince(0, fromMs) < 500) await settles();
    replicas = 0;
    const lost = await (async () => {
      while (await settles());
      return confirmed.at(-1) ?? 0;
    })();
    // It is noticed later than it began, and the time of that counts as away, too.
    const reachedMs = store.reachedMsSince(0, fromMs);
    expect(reachedMs).to.be.within(lost - fromMs - 250, lost - fromMs + 50);
    await holdsFor(500, () => {
      expect(store.reachedMsSince(0, fromMs)).to.be.within(reachedMs - 5, reachedMs + 5);
    });
    replicas = 1;
    await until(() => store.reachedMsSince(0, fromMs) > reachedMs + 100, 30_000);
  });
});
