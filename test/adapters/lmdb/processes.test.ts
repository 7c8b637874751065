// Tests of what the embedded store promises over a crash, a full disk, and between processes.

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import type { ChildMessage } from './child.js';
import { LmdbWorld } from './lmdb-world.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const HOUR_MS = 3_600_000;
const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });

const messagesOf = (child: ChildProcess): ChildMessage[] => {
  const messages: ChildMessage[] = [];
  child.on('message', (message) => messages.push(message as ChildMessage));
  return messages;
};

describe('an embedded store', () => {
  let world: LmdbWorld;
  beforeEach(async () => {
    world = await LmdbWorld.create();
  });
  afterEach(() => world.dispose());

  it('has what it acknowledged before its process was killed', async () => {
    const child = fork(CHILD, [world.dataDir, 'write', '1000']);
    const messages: ChildMessage[] = [];
    child.on('message', (message) => {
      messages.push(message as ChildMessage);
      if (messages.length === 5) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    const store = world.open();
    const acknowledged = messages.flatMap((message) => ('acknowledged' in message ? [message] : []));
    expect(acknowledged).to.have.length.at.least(5);
    const found = await Promise.all(acknowledged.map(({ subject }) => store.read([cutOff(subject)])));
    expect(found).to.deep.equal(acknowledged.map((each) => [each.acknowledged]));
  });

  it('takes writes at once after a process was killed in one', async () => {
    const store = world.open();
    for (let i = 0; i < 3; i++) {
      const child = fork(CHILD, [world.dataDir, 'write', '1000']);
      child.once('message', () => child.kill('SIGKILL'));
      await once(child, 'exit');
      const draft = { value: 'a', atLeastMs: 0 };
      const swap = store.compareAndSet(cutOff(`after ${i}`), undefined, {
        ...draft,
        lifetimeMs: HOUR_MS,
        notAfterMs: store.now() + HOUR_MS,
      });
      expect((await swap).applied).to.equal(true);
    }
  });

  it('loses no swap of two processes at the same time', async () => {
    const children = [0, 1].map(() => fork(CHILD, [world.dataDir, 'add', '100']));
    const codes = await Promise.all(children.map((child) => once(child, 'exit')));
    expect(codes.map(([code]) => code)).to.deep.equal([0, 0]);
    const [counter] = await world.open().read([cutOff('counter')]);
    expect(counter?.split(' ')[2]).to.equal('200');
  });

  it('sees the entries of another process, however much the file has grown', async () => {
    const store = world.open();
    expect(await store.read([cutOff('user 0')])).to.deep.equal([undefined]);
    const child = fork(CHILD, [world.dataDir, 'write', '600']);
    const messages = messagesOf(child);
    await once(child, 'exit');
    expect(messages.at(-1)).to.deep.equal({ done: true });
    for (const subject of ['user 0', 'user 599']) expect((await store.read([cutOff(subject)]))[0]).to.be.a('string');
  });

  it('sees what another process wrote while this one was busy, within one turn', async () => {
    const store = world.open();
    expect(await store.read([cutOff('user 0')])).to.deep.equal([undefined]);
    // Still in the turn of that read, whose snapshot the driver would go on with.
    const asked = store.read([cutOff('user 0')]);
    spawnSync(process.execPath, [CHILD, world.dataDir, 'write', '1']);
    const after = store.read([cutOff('user 0')]);
    for (const [text] of await Promise.all([asked, after])) expect(text).to.be.a('string');
  });

  it('cannot tell when the disk is full, keeps what it has, and goes on when there is room', async () => {
    // The limit on the size of files, in blocks of 512 bytes, fails a write as a full disk does.
    const limited = `ulimit -f 400; exec "$0" "$@"`;
    const args = ['-c', limited, process.execPath, CHILD, world.dataDir, 'write', '100000'];
    const child = spawn('/bin/sh', args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const messages = messagesOf(child);
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
    const last = messages.at(-1);
    expect(last).to.include({ code: 'STORE_UNAVAILABLE', failed: 'the data folder cannot be read or written' });
    const acknowledged = messages.flatMap((message) => ('acknowledged' in message ? [message] : []));
    expect(acknowledged).to.have.length.above(10);
    const store = world.open();
    for (const { subject, acknowledged: text } of acknowledged) {
      expect(await store.read([cutOff(subject)])).to.deep.equal([text]);
    }
    const draft = { value: 'a', atLeastMs: 0 };
    const swap = store.compareAndSet(cutOff('after'), undefined, {
      ...draft,
      lifetimeMs: HOUR_MS,
      notAfterMs: store.now() + HOUR_MS,
    });
    expect((await swap).applied).to.equal(true);
  });
});
