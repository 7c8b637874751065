// Tests of the wait for replicas: which writes and which incarnation it confirms.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import type { RedisStore, RedisStoreOptions } from '../../../src/adapters/redis/redis-store.js';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { RecordingLog } from '../../support/recording-log.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/waiting.js';
import { openReachable, openStore, PATIENT } from './redis-world.js';

const MANY = 50;

describe('a store that waits for replicas', () => {
  let primary: RedisServer;
  let replica: RedisServer;
  let store: RedisStore;
  let log: RecordingLog;
  beforeEach(async () => {
    primary = await RedisServer.start();
    replica = await RedisServer.start('--replicaof', '127.0.0.1', `${primary.port}`);
    await inStep();
    await open();
  });
  afterEach(async () => {
    await store.close();
    await Promise.all([replica.stop(), primary.stop()]);
  });

  async function open(options: Partial<RedisStoreOptions> = {}): Promise<void> {
    ({ store, log } = await openReachable(primary, { minReplicas: 1, ...options }));
  }

  /** Opens the store anew, for a test that is not about how long a replica takes. */
  async function openPatient(): Promise<void> {
    await store.close();
    await open(PATIENT);
  }

  /** Waits until the replica has what the primary has. */
  async function inStep(): Promise<void> {
    const untilMs = performance.now() + 5_000;
    do {
      await primary.raw.set('mark', '1');
      if ((await primary.raw.wait(1, 100)) === 1) return;
    } while (performance.now() < untilMs);
    throw new Error('the replica does not follow');
  }

  const refusal = async (settled: Promise<void>): Promise<string> => {
    const error = await settled.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(StoreUnavailable);
    return String(error);
  };

  it('vouches for the server that answers, and for no other', async () => {
    await openPatient();
    await store.waitForReplicas(0, store.incarnationOf(0));
    expect(await refusal(store.waitForReplicas(0, 'another'))).to.include('another Redis answers now');
    expect(await refusal(store.waitForReplicas(0, undefined))).to.include('another Redis answers now');
  });

  it('does not vouch for what it held before it was a replica, though the connections stay', async () => {
    await openPatient();
    const incarnation = store.incarnationOf(0);
    await store.waitForReplicas(0, incarnation);
    await primary.raw.replicaof('127.0.0.1', '1');
    await primary.raw.replicaof('NO', 'ONE');
    await inStep();
    await refusal(store.waitForReplicas(0, incarnation));
    await until(() => store.incarnationOf(0) !== incarnation && store.reachableSinceMs !== undefined, 30_000);
    await store.waitForReplicas(0, store.incarnationOf(0));
  });

  it('says once that too few replicas confirm, and that enough do again', async () => {
    const ENOUGH = { level: 'info', fields: {}, message: 'enough replicas have what is written' };
    const all = () => log.lines.filter(({ message }) => message.includes('replicas'));
    await until(() => all().length > 0, 30_000);
    expect(all()).to.deep.equal([ENOUGH]);
    const said = () => all().slice(1);
    replica.pause();
    await refusal(store.waitForReplicas(0, store.incarnationOf(0)));
    await refusal(store.waitForReplicas(0, store.incarnationOf(0)));
    const [few, ...more] = said();
    expect(few).to.include({
      level: 'warn',
      message: 'too few replicas have what is written: nothing is acknowledged',
    });
    expect(few?.fields).to.deep.equal({ count: 0, minReplicas: 1 });
    expect(more).to.deep.equal([]);
    replica.resume();
    await until(() => said().length > 1, 30_000);
    expect(said().slice(1)).to.deep.equal([ENOUGH]);
  });

  it('says that too few replicas confirm where Redis refuses the write for lack of them', async () => {
    await openPatient();
    const said = () => log.lines.filter(({ message }) => message.includes('replicas')).map(({ level }) => level);
    await store.waitForReplicas(0, store.incarnationOf(0));
    await primary.raw.config('SET', 'min-replicas-to-write', '2');
    expect(await refusal(store.waitForReplicas(0, store.incarnationOf(0)))).to.include('NOREPLICAS');
    expect(said()).to.deep.equal(['info', 'warn']);
    await primary.raw.config('SET', 'min-replicas-to-write', '0');
    await store.waitForReplicas(0, store.incarnationOf(0));
    expect(said()).to.deep.equal(['info', 'warn', 'info']);
  });

  it('does not blame the replicas where Redis itself is away', async () => {
    await primary.kill();
    await refusal(store.waitForReplicas(0, store.incarnationOf(0)));
    expect(log.text).to.not.include('too few replicas');
  });

  it('is not used where its two connections reach two servers: the one cannot vouch for the other', async () => {
    const other = await RedisServer.start();
    let turn = 0;
    const balancer = createServer((client) => {
      const server = connect((turn++ % 2 === 0 ? primary : other).port, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on('error', () => {}).once('close', () => to.destroy());
        from.pipe(to);
      }
    }).listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    const { port } = balancer.address() as AddressInfo;
    const opened = openStore(`redis://127.0.0.1:${port}`, { minReplicas: 1 });
    try {
      await until(() => opened.log.text.includes('did not reach the same server'), 30_000);
      expect(opened.store.reachableSinceMs).to.equal(undefined);
    } finally {
      await opened.store.close();
      balancer.close();
      await other.stop();
    }
  });

  it('lets all who ask at the same time share a wait, but none of them one that has begun', async () => {
    await openPatient();
    replica.pause();
    const before = await primary.calls('wait');
    const begun = store.waitForReplicas(0, store.incarnationOf(0)).catch(() => {});
    while ((await primary.raw.info('clients')).includes('blocked_clients:0'));
    const late = Array.from({ length: MANY }, () => store.waitForReplicas(0, store.incarnationOf(0)));
    replica.resume();
    await Promise.all([begun, ...late]);
    // Redis counts a command that waits when it begins or when it ends; the regular look may be one more, or a few.
    expect((await primary.calls('wait')) - before).to.be.within(2, 10);
  });
});
