// The store contract: reads are atomic, current, and keep keys apart.

import { expect } from 'chai';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { cutOff, freshSession, HOUR_MS, type StoreBench } from './store-bench.js';

/** Subjects that a careless key would mix up, with one another or with its own separators. */
const AWKWARD_SUBJECTS = [
  ...[
    'a',
    'A',
    ' a',
    'a ',
    'a\n',
    'a\r\n',
    '\ta',
    'a\0',
    'a:b',
    'a}:s:b',
    '{a}',
    '{',
    '}',
    '{}',
    'a{b}c',
    '}{',
    ':',
    's:',
    'u:',
  ],
  ...[
    'born',
    ':born',
    'lk:1:',
    '*',
    '?',
    '[a]',
    '\\',
    '"',
    "'",
    '0',
    '00',
    '-',
    'undefined',
    'null',
    '__proto__',
    'constructor',
  ],
  ...[
    'é',
    'e\u0301',
    '😀',
    '😁',
    '日本',
    '\u{10ffff}',
    '\u200b',
    'a\u200b',
    'x'.repeat(254),
    'x'.repeat(255),
    'é'.repeat(127),
  ],
];

/** Declares the tests of keys and of `read`. */
export function describeReading(bench: StoreBench): void {
  describe('keys', () => {
    it('of awkward subjects stay apart', async () => {
      expect(new Set(AWKWARD_SUBJECTS).size).to.equal(AWKWARD_SUBJECTS.length);
      const written = await Promise.all(
        AWKWARD_SUBJECTS.map((subject, i) => bench.put(cutOff(subject), undefined, `v${i}`, HOUR_MS)),
      );
      const found = await Promise.all(AWKWARD_SUBJECTS.map((subject) => bench.text(cutOff(subject))));
      expect(found).to.deep.equal(written);
    });

    it('of a session, its subject and its shard stay apart', async () => {
      const session = freshSession('ann');
      const birth: StoreKey = { kind: 'birth', shard: bench.store.shardOf('ann') };
      const keys = [session, cutOff('ann'), birth];
      for (const [i, key] of keys.entries()) await bench.put(key, undefined, `v${i}`, HOUR_MS);
      const found = await bench.store.read(keys);
      expect(found.map((each) => each?.split(' ')[2])).to.deep.equal(['v0', 'v1', 'v2']);
    });

    it('of sessions of one subject stay apart, and so do the births of shards', async () => {
      const sessions = Array.from({ length: 20 }, () => freshSession('ann'));
      const births = Array.from({ length: bench.store.shards }, (_, shard): StoreKey => ({ kind: 'birth', shard }));
      for (const keys of [sessions, births]) {
        const written = await Promise.all(keys.map((key, i) => bench.put(key, undefined, `v${i}`, undefined)));
        expect(await Promise.all(keys.map((key) => bench.text(key)))).to.deep.equal(written);
      }
    });

    it('of a subject are always in the same shard', () => {
      for (const subject of AWKWARD_SUBJECTS) {
        const shard = bench.store.shardOf(subject);
        expect(shard)
          .to.satisfy(Number.isInteger)
          .and.to.be.within(0, bench.store.shards - 1);
        expect(bench.store.shardOf(subject)).to.equal(shard);
      }
    });
  });

  describe('read', () => {
    it('answers in the order of the keys, each as often as it was asked for', async () => {
      const [here, gone] = [cutOff('here'), freshSession('here')];
      const standing = await bench.put(here, undefined, 'a', HOUR_MS);
      expect(await bench.store.read([gone, here, here, gone])).to.deep.equal([
        undefined,
        standing,
        standing,
        undefined,
      ]);
      expect(await bench.store.read([])).to.deep.equal([]);
    });

    it('answers many callers of one turn, each with its own', async () => {
      const subjects = Array.from({ length: 700 }, (_, i) => `user ${i}`);
      const written = await Promise.all(
        subjects.map((subject) => bench.put(cutOff(subject), undefined, subject, HOUR_MS)),
      );
      const birthOf = (subject: string): StoreKey => ({ kind: 'birth', shard: bench.store.shardOf(subject) });
      const found = await Promise.all(
        subjects.map((subject) => bench.store.read([freshSession(subject), cutOff(subject), birthOf(subject)])),
      );
      expect(found).to.deep.equal(written.map((each) => [undefined, each, undefined]));
    });

    it('sees the entries of a shard at one moment', async () => {
      const [first, second] = [freshSession('ann'), cutOff('ann')];
      const reader = await bench.world.open();
      let writing = true;
      const written = (async () => {
        let standing: readonly (string | undefined)[] = [undefined, undefined];
        for (let i = 1; i <= 150; i++) {
          standing = [
            await bench.put(first, standing[0], `${i}`, HOUR_MS),
            await bench.put(second, standing[1], `${i}`, HOUR_MS),
          ];
        }
        writing = false;
      })();
      while (writing) {
        const [a = 0, b = 0] = (await reader.read([first, second])).map((each) => Number(each?.split(' ')[2] ?? 0));
        // The second is written after the first, so it is never ahead.
        expect(a - b).to.be.within(0, 1);
        await new Promise(setImmediate);
      }
      await written;
    });

    it('sees what was acknowledged before it was asked for, by whichever store', async () => {
      const other = await bench.world.open();
      let standing: string | undefined;
      for (let i = 0; i < 50; i++) {
        // A read of the same turn, from before: its answer must not be handed to the later one.
        const earlier = other.read([cutOff('ann')]);
        standing = await bench.put(cutOff('ann'), standing, `${i}`, HOUR_MS);
        const later = other.read([cutOff('ann')]);
        expect(await later).to.deep.equal([standing]);
        await earlier;
      }
    });
  });
}
