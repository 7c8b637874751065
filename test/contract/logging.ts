// The store contract: the log of ends, appended with the end itself, and read with the birth record.

import { hash } from 'node:crypto';
import { expect } from 'chai';
import type { LogPage } from '../../src/core/feed/log-entry.js';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { type ClosableStore, cutOff, freshSession, HOUR_MS, type StoreBench, stampOf } from './store-bench.js';

const ENDED = 'ended logout';
const hashOf = (subject: string): string => hash('sha256', subject, 'hex').slice(0, 32);
const idOf = (key: StoreKey): string => (key.kind === 'session' ? key.sessionId.replaceAll('-', '') : '');
const named = (page: LogPage): string[] => page.entries.map(({ what }) => what);

/** Reads the log of a subject's shard. */
async function page(store: ClosableStore, subject = 'ann', cursor?: string): Promise<LogPage> {
  const shard = store.shardOf(subject);
  const cursors = Array.from({ length: store.shards }, (_, each) => (each === shard ? cursor : undefined));
  const found = (await store.readLogs(cursors))[shard];
  if (!found || found instanceof Error) throw found ?? new Error('no page');
  return found;
}

const end = (store: ClosableStore, key: StoreKey, more: { expected?: string; presentedMs?: number } = {}) =>
  store.compareAndSet(key, more.expected, {
    value: key.kind === 'session' ? ENDED : 'not-before',
    atLeastMs: 0,
    lifetimeMs: HOUR_MS,
    notAfterMs: store.now(0) + HOUR_MS,
    logged: { presentedMs: more.presentedMs ?? 0 },
  });

/** Declares the tests of `RevocationLogs`. */
export function describeLogging(bench: StoreBench): void {
  describe('the log', () => {
    const birth = (): StoreKey => ({ kind: 'birth', shard: bench.store.shardOf('ann') });
    const begin = async (): Promise<void> => {
      for (let shard = 0; shard < bench.store.shards; shard++) await bench.store.beginLog(shard);
    };

    it('is missing at first, and begins once, or anew if its reader finds the count unmarked', async () => {
      await bench.put(birth(), undefined, 'born - 0');
      expect(await page(bench.store)).to.include({ exists: false, cursor: undefined });
      const beforeMs = bench.store.now(0);
      await begin();
      const { entries, exists, birthText } = await page(bench.store);
      expect([named({ entries } as LogPage), exists]).to.deep.equal([['b'], true]);
      expect(entries[0]?.wholeSinceMs).to.be.within(beforeMs, beforeMs + 2_000);
      expect(birthText).to.match(/ born - 00$/);
      await begin();
      expect((await page(bench.store)).entries).to.deep.equal(entries);
      // A write of a version without the log.
      await bench.put(birth(), birthText, 'born - 7');
      await begin();
      expect(named(await page(bench.store))).to.deep.equal(['b', 'b']);
      expect(await bench.text(birth())).to.match(/ born - 07$/);
    });

    it('gets each end and cut-off with its write, and nothing else, at times that never fall', async () => {
      await bench.put(birth(), undefined, 'born - 0');
      await begin();
      const [session, refreshed] = [freshSession('ann'), freshSession('ann')];
      const { cursor } = await page(bench.store);
      await bench.put(refreshed, undefined, 'live 1 2 3 4 k', HOUR_MS);
      await end(bench.store, session);
      expect((await end(bench.store, session)).applied).to.equal(false);
      const cut = await end(bench.store, cutOff('ann'));
      const { entries, ...rest } = await page(bench.store, 'ann', cursor);
      expect(entries.map(({ what, notBeforeMs }) => [what, notBeforeMs])).to.deep.equal([
        [`s${idOf(session)}`, 0],
        [`u${hashOf('ann')}`, stampOf(cut.current)],
      ]);
      expect(rest.birthText).to.equal(await bench.text(birth()));
      expect((await page(bench.store, 'ann', rest.cursor)).entries).to.deep.equal([]);
      const all = (await page(bench.store)).entries;
      expect(new Set(all.map(({ wholeSinceMs }) => wholeSinceMs)).size).to.equal(1);
      const times = all.map(({ atMs }) => atMs);
      expect(times).to.deep.equal([...times].sort((a, b) => a - b));
    });

    it('begins anew at the first write after one of a version without it, whatever it writes', async () => {
      const born = await bench.put(birth(), undefined, 'born - 0');
      await begin();
      await end(bench.store, freshSession('ann'));
      const { cursor, entries } = await page(bench.store);
      // An earlier version drops the zero.
      await bench.put(birth(), born.replace(/0$/, '01'), 'born - 2');
      await bench.world.pass(5);
      await bench.put(freshSession('ann'), undefined, 'live 1 2 3 4 k', HOUR_MS);
      const next = await page(bench.store, 'ann', cursor);
      expect(named(next)).to.deep.equal(['b']);
      expect(next.entries[0]?.wholeSinceMs).to.be.above(entries.at(-1)?.wholeSinceMs ?? 0);
      expect(await bench.text(birth())).to.match(/ born - 03$/);
    });

    it('is whole from the time of a presented token that is ahead of the clock', async () => {
      await bench.put(birth(), undefined, 'born - 0');
      await begin();
      const aheadMs = bench.store.now(0) + HOUR_MS;
      await end(bench.store, freshSession('ann'), { presentedMs: bench.store.now(0) + 9_000 });
      const whole = async () => (await page(bench.store)).entries.at(-1)?.wholeSinceMs ?? 0;
      expect(await whole()).to.be.at.most(bench.store.now(0));
      await end(bench.store, freshSession('ann'), { presentedMs: aheadMs });
      expect(await whole()).to.equal(aheadMs);
      // Never falls, though the next caller does not know that time.
      await end(bench.store, freshSession('ann'));
      expect(await whole()).to.equal(aheadMs);
    });

    it('is read in pages, and those of all shards at once', async () => {
      await bench.put(birth(), undefined, 'born - 0');
      await begin();
      await Promise.all(Array.from({ length: 1_200 }, () => end(bench.store, freshSession('ann'))));
      const first = await page(bench.store);
      const second = await page(bench.store, 'ann', first.cursor);
      expect([first.entries.length, second.entries.length]).to.deep.equal([1_000, 201]);
      expect(new Set([...named(first), ...named(second)]).size).to.equal(1_201);
      const other = await bench.world.open();
      const subjects = Array.from({ length: 100 }, (_, i) => `user ${i}`);
      await Promise.all(subjects.map((subject) => end(bench.store, cutOff(subject))));
      const at = other.shardOf('ann');
      const cursors = Array.from({ length: other.shards }, (_, shard) => (shard === at ? second.cursor : undefined));
      const pages = await other.readLogs(cursors);
      const found = pages.flatMap((each) => (each instanceof Error ? [] : named(each)));
      expect(found).to.include.members(subjects.map((subject) => `u${hashOf(subject)}`));
    });
  });
}
