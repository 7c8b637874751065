// Tests of the ids of what was revoked: their order, against a plain list, and their memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { RevokedIds } from '../../src/validator/feed/revoked-ids.js';

interface Kept {
  readonly id: string;
  readonly shard: number;
  readonly atMs: number;
}

describe('the ids of what was revoked', () => {
  it('are in the order in which they came last, with their latest times', () => {
    const step = fc.tuple(fc.constantFrom('add', 'add', 'add', 'delete', 'drop', 'clear'), fc.nat(5), fc.nat(20));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ids = new RevokedIds();
        let model: Kept[] = [];
        for (const [what, n, atMs] of steps) {
          const id = `id ${n}`;
          const dropped: Kept[] = [];
          const expected: Kept[] = [];
          if (what === 'clear') {
            ids.clear();
            model = [];
          } else if (what === 'delete') {
            ids.delete(id);
            model = model.filter((each) => each.id !== id);
          } else if (what === 'drop') {
            ids.drop(
              (each) => each.atMs < atMs,
              (each, of) => dropped.push({ id: of, ...each }),
            );
            while (model[0] && model[0].atMs < atMs) expected.push(...model.splice(0, 1));
          } else {
            const known = model.find((each) => each.id === id);
            ids.add(id, n, atMs);
            if (!known || known.atMs < atMs)
              model = [...model.filter((each) => each !== known), { id, shard: n, atMs }];
          }
          expect(dropped).to.deep.equal(expected);
          expect([ids.size, ids.firstMs]).to.deep.equal([model.length, model[0]?.atMs ?? Number.POSITIVE_INFINITY]);
          for (const each of model) expect([ids.has(each.id), ids.atMs(each.id)]).to.deep.equal([true, each.atMs]);
          if (!model.some((each) => each.id === id)) expect([ids.has(id), ids.atMs(id)]).to.deep.equal([false, 0]);
        }
      }),
    );
  });

  it('take no more memory, however often the same ones come again', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const ids = new RevokedIds();
    // It stays the oldest, so nothing before the others is ever dropped.
    ids.add('first', 0, 0);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let atMs = 1; atMs < 500_000; atMs++) ids.add(`again ${atMs % 3}`, 0, atMs);
    collect();
    expect([ids.size, ids.firstMs]).to.deep.equal([4, 0]);
    expect(process.memoryUsage().heapUsed - before).to.be.below(2_000_000);
    ids.delete('first');
    expect(ids.firstMs).to.equal(499_997);
  });
});
