// Tests of malformed answers from Redis: nil, or another format. The store fails with StoreUnavailable.

import { expect } from 'chai';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/waiting.js';
import { type Opened, openStore } from './redis-world.js';
import { RESP, RespServer } from './resp-server.js';

const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };
const BIRTH: StoreKey = { kind: 'birth', shard: 0 };
const TEXT = RESP.text('1 5 not-before');

const COMMON = {
  nil: RESP.nil,
  'a nil list': RESP.nilList,
  'an empty list': RESP.list(),
  'a number': RESP.number(7),
  'a text': RESP.text('OK'),
  'a list in a list': RESP.list(RESP.list(TEXT), RESP.list()),
};
const READS = { ...COMMON, 'a text too few': RESP.list(TEXT), 'a text too many': RESP.list(TEXT, TEXT, TEXT) };
const SWAPS = {
  ...COMMON,
  'a win without a text': RESP.list(RESP.number(1)),
  'a win with nil': RESP.list(RESP.number(1), RESP.nil),
  'a win with a list for a count': RESP.list(RESP.number(1), TEXT, RESP.list()),
  'a win with a word for a count': RESP.list(RESP.number(1), TEXT, RESP.text('many')),
  'a loss to a number': RESP.list(RESP.number(0), RESP.number(3)),
  'an outcome that is none': RESP.list(RESP.number(4), TEXT),
  'the wish for the log, though it has it': RESP.list(RESP.number(3)),
  'an outcome as a text': RESP.list(RESP.text('1'), TEXT),
};

describe('an answer of Redis that is none', () => {
  let server: RespServer;
  let opened: Opened;
  beforeEach(async () => {
    server = await RespServer.start();
    opened = openStore(server.url);
    await opened.store.opened();
  });
  afterEach(async () => {
    await opened.store.close();
    await server.stop();
  });
  const swap = () => {
    const { store } = opened;
    return store.compareAndSet(KEY, undefined, {
      value: 'a',
      atLeastMs: 0,
      lifetimeMs: 1_000,
      notAfterMs: store.now(0) + 1_000,
    });
  };
  const refused = async (work: Promise<unknown>): Promise<void> => {
    const error = await work.then(
      (answer) => answer,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(StoreUnavailable);
  };

  for (const [what, answer] of Object.entries(READS)) {
    it(`to a read is "cannot tell": ${what}`, async () => {
      server.answer = (command) => (command.startsWith('eval') ? answer : undefined);
      await refused(opened.store.read([BIRTH, KEY]));
      server.answer = () => undefined;
      await until(() => opened.store.reachableSinceMs !== undefined, 30_000);
      expect(await opened.store.read([BIRTH, KEY])).to.deep.equal([undefined, undefined]);
    });
  }

  for (const [what, answer] of Object.entries(SWAPS)) {
    it(`to a write is "cannot tell": ${what}`, async () => {
      server.answer = (command) => (command === 'evalsha' ? answer : undefined);
      await refused(swap());
    });
  }

  it('is not what Redis says of a write that it made, lost or refused', async () => {
    const outcomes = {
      won: [RESP.list(RESP.number(1), TEXT), { applied: true, current: '1 5 not-before' }],
      counted: [
        RESP.list(RESP.number(1), TEXT, RESP.text('12')),
        { applied: true, current: '1 5 not-before', writes: 12 },
      ],
      lost: [RESP.list(RESP.number(0), TEXT), { applied: false, current: '1 5 not-before' }],
      gone: [RESP.list(RESP.number(0), RESP.nil), { applied: false, current: undefined }],
    } as const;
    for (const [what, [answer, outcome]] of Object.entries(outcomes)) {
      server.answer = (command) => (command === 'evalsha' ? answer : undefined);
      expect(await swap(), what).to.deep.equal(outcome);
    }
    server.answer = (command) => (command === 'evalsha' ? RESP.list(RESP.number(2)) : undefined);
    await refused(swap());
  });
});

describe('an answer to WAIT that is no number', () => {
  for (const [what, answer] of Object.entries({ ...COMMON, 'a number': RESP.number(0) })) {
    it(`acknowledges nothing: ${what}`, async () => {
      const server = await RespServer.start();
      server.answer = (command) => (command === 'wait' ? answer : undefined);
      const { store } = openStore(server.url, { minReplicas: 1 });
      await store.opened();
      const settled = await store.waitForReplicas(0, store.incarnationOf(0)).then(
        () => 'acknowledged',
        (error: unknown) => error,
      );
      await store.close();
      await server.stop();
      expect(settled).to.be.instanceOf(StoreUnavailable);
    });
  }
});

describe('a Redis that has no EVALSHA_RO', () => {
  for (const [what, message] of [
    ['does not know it', 'ERR unknown command `EVALSHA_RO`, with args beginning with: `aa`, `1`, '],
    ['does not let this user run it', "NOPERM this user has no permissions to run the 'evalsha_ro' command"],
  ] as const) {
    it(`because it ${what}, is read by EVALSHA, and asked once a connection`, async () => {
      const server = await RespServer.start();
      server.answer = (command) => (command.endsWith('_ro') ? RESP.error(message) : undefined);
      const { store } = openStore(server.url);
      await store.opened();
      for (let n = 0; n < 3; n++) expect(await store.read([KEY])).to.deep.equal([undefined]);
      expect(server.commands.filter((command) => command === 'evalsha_ro')).to.have.length(1);
      expect(server.commands.filter((command) => command === 'evalsha')).to.have.length.at.least(4);
      await store.close();
      await server.stop();
    });
  }

  it('is known by the text with which a real Redis refuses a command that it does not have', async () => {
    const server = await RedisServer.start();
    const refused = await server.raw.call('EVALSHA_NONE').catch((error: unknown) => error);
    await server.stop();
    expect(refused)
      .to.have.property('message')
      .that.matches(/^ERR unknown command/);
  });

  it('is sent the whole script for a read where it does not know that', async () => {
    const server = await RespServer.start();
    server.answer = (command) =>
      command.startsWith('evalsha') ? RESP.error('NOSCRIPT No matching script.') : undefined;
    const { store } = openStore(server.url);
    await store.opened();
    expect(await store.read([KEY])).to.deep.equal([undefined]);
    expect(server.commands).to.include('eval_ro').and.not.include('eval');
    await store.close();
    await server.stop();
  });
});
