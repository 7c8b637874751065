// Tests of what a write sends to Redis: a refresh sends nothing about the log, unless an older version has written.

import { expect } from 'chai';
import { COMPARE_AND_SET } from '../../../src/adapters/redis/compare-and-set-script.js';
import { birthName, shardOf } from '../../../src/adapters/redis/keys.js';
import type { EntryUpdate } from '../../../src/core/ports.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { RedisMonitor } from '../../support/redis-monitor.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/waiting.js';
import { type Opened, openReachable, PATIENT } from './redis-world.js';

const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };
const SHARD = shardOf('ann');
const HOUR_MS = 3_600_000;

describe('a write to Redis', () => {
  let server: RedisServer;
  let opened: Opened;
  let monitor: RedisMonitor;
  let marks = 0;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    await server.raw.flushall();
    opened = await openReachable(server, PATIENT);
    await write(undefined, { key: { kind: 'birth', shard: SHARD }, value: 'born - 0' });
    await opened.store.beginLog(SHARD);
    monitor = await RedisMonitor.open(server.port);
  });
  afterEach(async () => {
    monitor.close();
    await opened.store.close();
  });

  const write = (expected: string | undefined, more: Partial<EntryUpdate> & { readonly key?: StoreKey } = {}) => {
    const { key = KEY, ...update } = more;
    const notAfterMs = opened.store.now(SHARD) + HOUR_MS;
    return opened.store.compareAndSet(key, expected, {
      ...{ value: 'a', atLeastMs: 0, lifetimeMs: HOUR_MS, notAfterMs },
      ...update,
    });
  };
  /** How many keys and arguments each call of the script had. */
  const sent = async (): Promise<(readonly [keys: number, args: number])[]> => {
    const mark = `mark ${++marks}`;
    await server.raw.echo(mark);
    await until(() => monitor.text.includes(mark));
    const calls = monitor.text.split('\n').filter((line) => line.includes(COMPARE_AND_SET.sha1));
    return calls.map((line) => {
      const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word ?? '');
      const keys = Number(words[2]);
      return [keys, words.length - 3 - keys];
    });
  };
  /** What an older version leaves: a count without the zero. */
  const unmark = async (): Promise<void> => {
    const born = birthName(SHARD);
    await server.raw.set(born, ((await server.raw.get(born)) ?? '').replace(/ 0(\d+)$/, ' $1'));
  };

  it('has two keys and four arguments, and more only for what it needs', async () => {
    const first = await write(undefined);
    await write(first.current, { atLeastMs: 1 });
    await write('another text', { logged: { presentedMs: 0 } });
    expect(await sent()).to.deep.equal([
      [2, 4],
      [2, 6],
      [3, 9],
    ]);
  });

  it('is made again with the log once after an older version, in the same shard and if it would be made', async () => {
    const first = await write(undefined);
    await unmark();
    expect((await write('another text')).applied).to.equal(false);
    const second = await write(first.current, { atMostMs: 5 });
    expect(second).to.deep.equal({ applied: true, current: '1 5 a', writes: 2 });
    await write(second.current);
    expect(await sent()).to.deep.equal([
      [2, 4],
      [2, 4],
      [2, 6],
      [3, 9],
      [2, 4],
    ]);
    expect(await server.raw.get(birthName(SHARD))).to.match(/ born - 03$/);
  });
});
