// The rules of the example latchkey_feed.py that a real service does not show at will: doubts, births, uncovered shards.

import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import * as forge from '../attacks/forge.js';
import { ended, type FeedParts, feedMessage, KEY, ScriptedFeed, SETTINGS, STATE } from '../support/scripted-feed.js';
import { until } from '../support/waiting.js';
import type { FeedClient } from './feed-client.js';

const SHARDS = 2;
/** The service is asked, and does not answer. */
const CANNOT_TELL = 'cannot tell, asked';
const NOT_ACTIVE = 'not active, by the feed';
const active = (subject: string): string => `${subject} is active, by the feed`;

const digestOf = (subject: string): Buffer => createHash('sha256').update(subject).digest();
const shardOf = (subject: string): number => (digestOf(subject)[0] ?? 0) % SHARDS;
/** One subject of each shard. */
const [here = '', there = ''] = [0, 1].map((shard) =>
  ['ann', 'bob', 'cy', 'di'].find((name) => shardOf(name) === shard),
);

let made = 0;
function session(sub: string, more: object = {}): { readonly id: Buffer; readonly token: string } {
  const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
  const token = forge.authentic(forge.goodClaims({ sub, sid, jti: `a${sid}.0`, ...more }));
  return { id: Buffer.from(sid.replaceAll('-', ''), 'hex'), token };
}

/** @param follow starts the example with the address of a service */
export function scriptedRules(follow: (address: string) => FeedClient): void {
  describe('by the rules', () => {
    let feed: ScriptedFeed;
    before(async () => {
      feed = await new ScriptedFeed().start();
    });
    after(() => feed.stop());

    const states = (first: object = {}) => [
      { ...STATE, ...first },
      { ...STATE, shard: 1 },
    ];
    const pong = (id: number, uncovered = 0) => ({ id, storeTimeMs: Date.now(), uncovered: Buffer.from([uncovered]) });
    const begin = {
      settings: { ...SETTINGS, shards: SHARDS },
      keys: { keys: [KEY] },
      shards: states(),
      caughtUp: true,
    };

    /** A client of a feed that begins each stream with a message, and answers pings. */
    function client(parts: FeedParts, uncovered = 0): FeedClient {
      feed.pinged = (stream, id) => {
        stream.write(feedMessage({ ...(id === 1 ? { ...begin, ...parts } : {}), pong: pong(id, uncovered) }));
      };
      return follow(feed.address);
    }

    it('asks about a session and a subject in doubt, and about no others', async () => {
      const [doubtful, other] = [session(here), session(here)];
      const doubt = { ...ended(), sessionId: undefined };
      const revocations = [
        { ...doubt, doubtfulSessionId: doubtful.id },
        { ...doubt, doubtfulSubject: digestOf(there).subarray(0, 16) },
      ];
      const example = client({ revocations });
      await until(async () => (await example.validate(other.token)) === active(here));
      for (const strict of [false, true]) {
        expect(await example.validate(doubtful.token, strict)).to.equal(CANNOT_TELL);
        expect(await example.validate(session(there).token, strict)).to.equal(CANNOT_TELL);
        expect(await example.validate(other.token, strict)).to.equal(active(here));
      }
    });

    it('asks about tokens of a shard that no pong covers, and of one with an end that it cannot read', async () => {
      const revocations = [{ ...ended(), sessionId: undefined }];
      for (const isUncovered of [true, false]) {
        const example = isUncovered ? client({}, 1) : client({ revocations });
        await until(async () => (await example.validate(session(there).token)) === active(there));
        expect(await example.validate(session(here).token)).to.equal(CANNOT_TELL);
        expect(await example.validate(session(here).token, true)).to.equal(CANNOT_TELL);
      }
    });

    it('refuses sessions from before the birth of their shard, and adopted ones by the other time', async () => {
      const [before, adopted] = [session(here), session(here, { adopted: true })];
      const example = client({ shards: states({ bornMs: Date.now() + 1, adoptedSinceMs: 1 }) });
      await until(async () => (await example.validate(session(there).token)) === active(there));
      expect(await example.validate(before.token)).to.equal(NOT_ACTIVE);
      expect(await example.validate(adopted.token)).to.equal(active(here));
    });

    it('decides by the last stream until the first pong of a new one', async () => {
      const [good, gone] = [session(here), session(here)];
      const example = client({ revocations: [ended(gone.id)] });
      await until(async () => (await example.validate(good.token)) === active(here));
      const count = feed.streams.length;
      let answer: (() => void) | undefined;
      feed.pinged = (stream, id) => {
        if (id !== 1) return;
        stream.write(feedMessage({ ...begin, shards: states({ completeSinceMs: Date.now() + 3_600_000 }) }));
        answer = () => stream.write(feedMessage({ pong: pong(1) }));
      };
      feed.streams.at(-1)?.end();
      await until(() => feed.streams.length > count && answer !== undefined);
      expect(await example.validate(gone.token)).to.equal(NOT_ACTIVE);
      // No ping was answered since it came.
      expect(await example.validate(good.token, true)).to.equal(CANNOT_TELL);
      expect(await example.validate(gone.token, true)).to.equal(NOT_ACTIVE);
      answer?.();
      await until(async () => (await example.validate(gone.token)) === CANNOT_TELL);
      expect(await example.validate(good.token)).to.equal(CANNOT_TELL);
    });
  });
}
