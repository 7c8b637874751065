// The store contract: concurrent calls, and calls during close.

import { expect } from 'chai';
import type { Store } from '../../src/core/ports.js';
import { cutOff, freshSession, HOUR_MS, type StoreBench, unavailable } from './store-bench.js';

/** Declares the tests of calls at the same time, and of the store's end. */
export function describeRacing(bench: StoreBench): void {
  describe('at the same time', () => {
    it('exactly one of 100 swaps wins, and the others see what it wrote', async () => {
      const key = freshSession('ann');
      const stores = [bench.store, await bench.world.open()];
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, i) => {
          const mine = stores[i % stores.length] ?? bench.store;
          return mine.compareAndSet(key, undefined, {
            value: `${i}`,
            atLeastMs: 0,
            lifetimeMs: HOUR_MS,
            notAfterMs: mine.now(0) + HOUR_MS,
          });
        }),
      );
      expect(outcomes.filter(({ applied }) => applied)).to.have.length(1);
      expect(new Set(outcomes.map(({ current }) => current)).size).to.equal(1);
      expect(await bench.text(key)).to.equal(outcomes[0]?.current);
    });

    it('no swap that was won is lost again', async () => {
      const key = cutOff('counter');
      const stores = [bench.store, await bench.world.open()];
      const count = async (mine: Store): Promise<void> => {
        let [standing] = await mine.read([key]);
        for (let done = 0; done < 5; ) {
          const value = `${Number(standing?.split(' ')[2] ?? 0) + 1}`;
          const swapped = await mine.compareAndSet(key, standing, {
            value,
            atLeastMs: 0,
            lifetimeMs: HOUR_MS,
            notAfterMs: mine.now(0) + HOUR_MS,
          });
          standing = swapped.current;
          if (swapped.applied) done++;
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, i) => count(stores[i % stores.length] ?? bench.store)));
      expect((await bench.text(key))?.split(' ')[2]).to.equal('100');
    });
  });

  describe('reachability', () => {
    it('has a time since when', async () => {
      expect(bench.store.reachableSinceMs).to.be.within(bench.store.now(0) - 60_000, bench.store.now(0));
    });

    it('ends with the store: watchers are called, and every call is refused', async () => {
      const changes: boolean[] = [];
      const stop = bench.store.watch((reachable) => changes.push(reachable));
      const silent: boolean[] = [];
      bench.store.watch((reachable) => silent.push(reachable))();
      await bench.store.close();
      expect(changes).to.deep.equal([false]);
      expect(silent).to.deep.equal([]);
      expect(bench.store.reachableSinceMs).to.equal(undefined);
      stop();
      await unavailable(bench.store.read([cutOff('ann')]));
      const draft = { value: 'a', atLeastMs: 0 };
      await unavailable(
        bench.store.compareAndSet(cutOff('ann'), undefined, {
          ...draft,
          lifetimeMs: HOUR_MS,
          notAfterMs: Date.now() + HOUR_MS,
        }),
      );
      await bench.store.close();
    });
  });
}
