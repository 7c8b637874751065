// The store contract: compare-and-set, stamps and lifetimes.

import { expect } from 'chai';
import { cutOff, freshSession, HOUR_MS, SHORT_MS, type StoreBench, stampOf, unavailable } from './store-bench.js';

/** Declares the tests of `swap`. */
export function describeWriting(bench: StoreBench): void {
  describe('swap', () => {
    it('writes where there is nothing, and answers what it wrote', async () => {
      const key = freshSession('ann');
      expect(await bench.text(key)).to.equal(undefined);
      const current = await bench.put(key, undefined, 'live 1 2 3 4 k', HOUR_MS);
      expect(current).to.match(/^1 \d{13} live 1 2 3 4 k$/);
      expect(await bench.text(key)).to.equal(current);
    });

    it('replaces what was expected', async () => {
      const key = cutOff('ann');
      const first = await bench.put(key, undefined, 'a', HOUR_MS);
      const second = await bench.put(key, first, 'b', HOUR_MS);
      expect(await bench.text(key)).to.equal(second);
    });

    it('writes nothing where there is something else, and answers what that is', async () => {
      const key = cutOff('ann');
      expect(await bench.write(key, '1 1 a', 'b', HOUR_MS)).to.deep.equal({ applied: false, current: undefined });
      const standing = await bench.put(key, undefined, 'a', HOUR_MS);
      expect(await bench.write(key, undefined, 'b', HOUR_MS)).to.deep.equal({ applied: false, current: standing });
      expect(await bench.write(key, '1 1 a', 'b', HOUR_MS)).to.deep.equal({ applied: false, current: standing });
      expect(await bench.text(key)).to.equal(standing);
    });

    it('raises the count in the birth record of the shard, and answers it', async () => {
      const key = freshSession('ann');
      const birth = { kind: 'birth', shard: bench.store.shardOf('ann') } as const;
      expect(await bench.write(key, undefined, 'a', HOUR_MS)).to.not.have.property('writes');
      const born = await bench.put(birth, undefined, 'born - 0');
      const first = await bench.write(cutOff('ann'), undefined, 'a', HOUR_MS);
      const lost = await bench.write(cutOff('ann'), undefined, 'b', HOUR_MS);
      const second = await bench.write(cutOff('ann'), first.current, 'b', HOUR_MS);
      expect([first.writes, lost.writes, second.writes]).to.deep.equal([1, undefined, 2]);
      // The zero is the mark of the versions that keep the log.
      expect(await bench.text(birth)).to.equal(born.replace(/0$/, '02'));
    });

    it('counts on from a record without a count, and leaves alone what is no record', async () => {
      const birth = { kind: 'birth', shard: bench.store.shardOf('ann') } as const;
      const born = await bench.put(birth, undefined, 'born 5');
      expect((await bench.write(cutOff('ann'), undefined, 'a', HOUR_MS)).writes).to.equal(1);
      expect(await bench.text(birth)).to.equal(`${born} 01`);
      const odd = await bench.put(birth, `${born} 01`, 'odd');
      expect(await bench.write(freshSession('ann'), undefined, 'a', HOUR_MS)).to.not.have.property('writes');
      expect(await bench.text(birth)).to.equal(odd);
    });

    it('keeps a stamp within its bounds', async () => {
      const { store } = bench;
      const bound = { atLeastMs: 7, atMostMs: 7 };
      const put = await store.compareAndSet(cutOff('ann'), undefined, {
        value: 'a',
        ...bound,
        lifetimeMs: HOUR_MS,
        notAfterMs: store.now(0) + HOUR_MS,
      });
      expect(put.current).to.equal('1 7 a');
    });

    it('compares to the letter', async () => {
      const key = cutOff('ann');
      const standing = await bench.put(key, undefined, 'Value', HOUR_MS);
      const close = [
        '',
        ' ',
        `${standing} `,
        ` ${standing}`,
        `${standing}\0`,
        standing.slice(0, -1),
        standing.toLowerCase(),
      ];
      for (const expected of [...close, standing.replace('1 ', '01 '), standing.replace('1 ', '1  ')]) {
        expect((await bench.write(key, expected, 'b', HOUR_MS)).applied, JSON.stringify(expected)).to.equal(false);
      }
      expect(await bench.text(key)).to.equal(standing);
    });

    it('does not take an empty expectation for nothing', async () => {
      expect(await bench.write(cutOff('ann'), '', 'a', HOUR_MS)).to.deep.equal({ applied: false, current: undefined });
    });

    it('keeps every printable character', async () => {
      const value = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
      const current = await bench.put(cutOff('ann'), undefined, value, HOUR_MS);
      expect(current.endsWith(` ${value}`)).to.equal(true);
      expect(await bench.text(cutOff('ann'))).to.equal(current);
    });

    it('writes nothing after the caller has given up', async () => {
      const key = freshSession('ann');
      const late = bench.store.compareAndSet(key, undefined, {
        value: 'a',
        atLeastMs: 0,
        lifetimeMs: HOUR_MS,
        notAfterMs: bench.store.now(0) - 1,
      });
      expect((await unavailable(late)).message).to.contain('too late');
      expect(await bench.text(key)).to.equal(undefined);
    });
  });

  describe('stamps', () => {
    it('are the time of the store, never behind what it said before', async () => {
      let last = 0;
      let expected: string | undefined;
      for (let i = 0; i < 20; i++) {
        const beforeMs = bench.store.now(0);
        expected = await bench.put(cutOff('ann'), expected, `${i}`, HOUR_MS);
        const stamp = stampOf(expected);
        expect(stamp).to.be.at.least(beforeMs).and.at.least(last);
        expect(stamp).to.be.at.most(beforeMs + 2_000);
        last = stamp;
        await bench.world.pass(i % 2);
      }
    });

    it('are at least what was asked for', async () => {
      const atLeastMs = bench.store.now(0) + HOUR_MS;
      const draft = { value: 'a', atLeastMs };
      const { current } = await bench.store.compareAndSet(cutOff('ann'), undefined, {
        ...draft,
        lifetimeMs: HOUR_MS,
        notAfterMs: bench.store.now(0) + HOUR_MS,
      });
      expect(current).to.equal(`1 ${atLeastMs} a`);
    });
  });

  describe('lifetimes', () => {
    it('end an entry by themselves; it is then as if it had never been', async () => {
      const key = freshSession('ann');
      const standing = await bench.put(key, undefined, 'a', SHORT_MS);
      await bench.world.pass(2 * SHORT_MS);
      expect(await bench.text(key)).to.equal(undefined);
      expect(await bench.write(key, standing, 'b', HOUR_MS)).to.deep.equal({ applied: false, current: undefined });
      await bench.put(key, undefined, 'b', HOUR_MS);
    });

    it('are never shortened', async () => {
      const [long, forever] = [cutOff('long'), cutOff('forever')];
      const a = await bench.put(long, undefined, 'a', HOUR_MS);
      const b = await bench.put(forever, undefined, 'a', undefined);
      const shorter = await Promise.all([bench.put(long, a, 'b', SHORT_MS), bench.put(forever, b, 'b', SHORT_MS)]);
      await bench.world.pass(2 * SHORT_MS);
      expect(await Promise.all([bench.text(long), bench.text(forever)])).to.deep.equal(shorter);
    });

    it('are lengthened, up to for ever', async () => {
      const [longer, forever] = [cutOff('longer'), cutOff('forever')];
      const a = await bench.put(longer, undefined, 'a', SHORT_MS);
      const b = await bench.put(forever, undefined, 'a', SHORT_MS);
      const lengthened = await Promise.all([bench.put(longer, a, 'b', HOUR_MS), bench.put(forever, b, 'b', undefined)]);
      await bench.world.pass(2 * SHORT_MS);
      expect(await Promise.all([bench.text(longer), bench.text(forever)])).to.deep.equal(lengthened);
    });

    it('are not lengthened by a swap that was lost', async () => {
      const key = cutOff('ann');
      await bench.put(key, undefined, 'a', SHORT_MS);
      await bench.write(key, undefined, 'b', HOUR_MS);
      await bench.world.pass(2 * SHORT_MS);
      expect(await bench.text(key)).to.equal(undefined);
    });
  });
}
