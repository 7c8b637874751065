// Tests of a validator by the feed whose node speaks nonsense: the process lives, nothing is called active, memory is bounded.

import { expect } from 'chai';
import type { Validator } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import * as forge from '../attacks/forge.js';
import {
  ended,
  KEY,
  feedMessage as message,
  type FeedParts as Parts,
  ScriptedFeed,
  SETTINGS,
  STATE,
} from '../support/scripted-feed.js';
import { elapse, until } from '../support/waiting.js';

const MOST = Number.MAX_SAFE_INTEGER;
const GOOD: Parts = { settings: SETTINGS, keys: { keys: [KEY] }, shards: [STATE], caughtUp: true };
/** Later than the `iat` of the tokens, and earlier than their `exp`. */
const pong = () => ({ id: 1, storeTimeMs: Date.now() + 30_000, uncovered: Buffer.alloc(0) });
const varint = (field: number, value: bigint): Buffer => {
  const bytes = [field << 3];
  let left = value;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
};
const nested = (field: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), content]);

/** What a node says to each ping, by what is wrong with it. None of it may make a token active. */
const SAID: Readonly<Record<string, () => readonly Buffer[]>> = {
  'bytes that are no message': () => [Buffer.from('deadbeef'.repeat(8), 'hex')],
  'half a message': () => [message(GOOD).subarray(0, 40)],
  'a pong and nothing else': () => [message({ pong: pong() })],
  'a pong before it has caught up': () => [message({ ...GOOD, caughtUp: false, pong: pong() })],
  'a pong to no ping': () => [message({ ...GOOD, pong: { ...pong(), id: 4_711 } })],
  'a pong with the largest id': () => [message(GOOD), nested(6, varint(1, 2n ** 64n - 1n))],
  'no settings': () => [message({ ...GOOD, settings: undefined, pong: pong() })],
  'no shards': () => [message({ ...GOOD, settings: { ...SETTINGS, shards: 0 }, pong: pong() })],
  'no state of the shard': () => [message({ ...GOOD, shards: [], pong: pong() })],
  'a state of a shard that there is not': () => [
    message({ ...GOOD, shards: [{ ...STATE, shard: 255 }], pong: pong() }),
  ],
  'no key': () => [message({ ...GOOD, keys: { keys: [] }, pong: pong() })],
  'keys that are none': () => [
    message({
      ...GOOD,
      keys: {
        keys: [
          { ...KEY, x: '*', y: '' },
          { ...KEY, kty: 'EC2' },
          { ...KEY, alg: 'none' },
        ],
      },
      pong: pong(),
    }),
  ],
  'a point that is not on the curve': () => [
    message({ ...GOOD, keys: { keys: [{ ...KEY, y: KEY.x }] }, pong: pong() }),
  ],
  'all shards as uncovered, and more': () => [
    message({ ...GOOD, pong: { ...pong(), uncovered: Buffer.alloc(100_000, 0xff) } }),
  ],
  'no time': () => [message({ ...GOOD, pong: { ...pong(), storeTimeMs: 0 } })],
  'a negative time': () => [message({ ...GOOD, pong: { ...pong(), storeTimeMs: -MOST } })],
  'a time in the far future': () => [message({ ...GOOD, pong: { ...pong(), storeTimeMs: MOST } })],
  'tokens that never live': () => [message({ ...GOOD, settings: { ...SETTINGS, accessTtlSeconds: -1 }, pong: pong() })],
  'sessions that never live': () => [
    message({ ...GOOD, settings: { ...SETTINGS, sessionMaxSeconds: 0 }, pong: pong() }),
  ],
  'complete since the end of time': () => [
    message({ ...GOOD, shards: [{ ...STATE, completeSinceMs: MOST }], pong: pong() }),
  ],
  'born at the end of time': () => [message({ ...GOOD, shards: [{ ...STATE, bornMs: MOST }], pong: pong() })],
  'an end that cannot be read': () => [
    message({ ...GOOD, revocations: [{ ...ended(), sessionId: Buffer.alloc(3) }], pong: pong() }),
  ],
  'an end of another kind': () => [
    message({ ...GOOD, revocations: [{ ...ended(), sessionId: undefined }], pong: pong() }),
  ],
};

/** Nonsense beside which a token is rightly active. */
const HARMLESS: Readonly<Record<string, () => readonly Buffer[]>> = {
  'all that is needed, and an unknown field': () => [
    Buffer.concat([message({ ...GOOD, pong: pong() }), varint(15, 7n)]),
  ],
  'ends with odd times, of odd shards': () => [
    message({
      ...GOOD,
      revocations: [-MOST, -1, 0, MOST].map((atMs, n) => ({ ...ended(), shard: 7 + n * 1_000_000, atMs })),
      pong: pong(),
    }),
  ],
  'states of forty thousand shards that there are not': () => [
    message({ ...GOOD, pong: pong() }),
    ...Array.from({ length: 40 }, (_, n) =>
      message({ shards: Array.from({ length: 1_000 }, (_, m) => ({ ...STATE, shard: 256 + n * 100_000 + m * 97 })) }),
    ),
  ],
};

describe('a validator by the feed, with a node that speaks nonsense', () => {
  const validators: Validator[] = [];
  let feed: ScriptedFeed;
  let said: readonly Buffer[] = [];
  let isChatty = true;

  before(async () => {
    feed = await new ScriptedFeed().start();
    feed.pinged = (stream, id) => {
      if (id === 1 || isChatty) for (const bytes of said) stream.write(bytes);
    };
  });
  beforeEach(() => {
    feed.streams.splice(0);
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });
  after(() => feed.stop());

  function validator(maxStaleness = '1h'): Validator {
    const each = buildValidator({ address: feed.address, source: 'feed', deadline: '300ms', maxStaleness });
    validators.push(each);
    return each;
  }
  function token(): string {
    const sid = forge.freshSid();
    return forge.authentic(forge.goodClaims({ sid, jti: `a${sid}.0` }));
  }

  for (const [what, messages] of Object.entries(SAID)) {
    it(`calls nothing active, and lives: ${what}`, async () => {
      said = messages();
      isChatty = false;
      const each = validator();
      await until(() => feed.streams.length > 0);
      const text = token();
      for (const options of [{}, { consistency: 'strict' } as const]) {
        const result = await each.validate(text, options).catch((error: unknown) => error);
        if (result instanceof CannotTell) continue;
        expect(result, what).to.have.property('active', false);
      }
      expect(each.validateNow(text)?.active ?? false).to.equal(false);
      expect(each.state().revocations).to.be.below(10);
    });
  }

  it('is not ready without the keys of GetJsonWebKeySet, and says so when its time is over, not later', async () => {
    said = [];
    isChatty = true;
    // So that it pings every 100 ms.
    const each = validator('800ms');
    const startMs = performance.now();
    const ready = each.ready('2s').catch((error: unknown) => error);
    await elapse(1_700, 'most of the time of ready');
    said = [message({ ...GOOD, pong: pong() })];
    expect(await ready).to.be.instanceOf(CannotTell);
    expect(performance.now() - startMs).to.be.within(1_990, 3_600);
    expect(each.state().feed).to.equal('following');
  });

  it('keeps a stream that takes long to catch up, and whose first pong comes some time after that', async () => {
    const { pinged } = feed;
    feed.pinged = async (stream, id) => {
      if (id !== 1) return;
      stream.write(message({ ...GOOD, caughtUp: false }));
      await elapse(1_100, 'longer than a ping may wait');
      stream.write(message({ caughtUp: true }));
      await elapse(300, 'several looks at the stream');
      stream.write(message({ pong: pong() }));
    };
    const each = validator('800ms');
    await until(() => each.state().feed === 'following' || feed.streams.length > 1);
    expect(each.state()).to.include({ feed: 'following', streams: 1 });
    feed.pinged = pinged;
  });

  for (const [what, messages] of Object.entries(HARMLESS)) {
    it(`goes on beside what means nothing: ${what}`, async () => {
      said = messages();
      isChatty = false;
      const each = validator();
      await until(() => each.validateNow(token())?.active ?? false);
      expect(each.state()).to.include({ streams: 1, feed: 'following' });
    });
  }
});
