// Tests of the linked list and the set on it: the order of their members, against an array.

import { expect } from 'chai';
import fc from 'fast-check';
import { type Linked, LinkedList } from '../../src/collections/linked-list.js';
import { LinkedSet } from '../../src/collections/linked-set.js';

interface Node extends Linked<Node> {
  readonly name: string;
}
const node = (name: string): Node => ({ name, older: undefined, newer: undefined });
const namesOf = (list: LinkedList<Node>): string[] => {
  const names: string[] = [];
  for (let each = list.oldest; each; each = each.newer) names.push(each.name);
  return names;
};

describe('a linked list', () => {
  it('links its nodes both ways, and no longer links those that were removed', () => {
    const list = new LinkedList<Node>();
    const [a, b, c, d] = [node('a'), node('b'), node('c'), node('d')];
    for (const each of [a, b, c, d]) list.append(each);
    expect(namesOf(list)).to.deep.equal(['a', 'b', 'c', 'd']);
    for (const each of [b, a, d]) list.remove(each);
    expect([list.oldest, list.newest, list.size]).to.deep.equal([c, c, 1]);
    for (const each of [a, b, c, d]) expect([each.older, each.newer]).to.deep.equal([undefined, undefined]);
    list.append(a);
    expect([c.newer, a.older, list.newest]).to.deep.equal([a, c, a]);
    list.clear();
    expect([list.oldest, list.newest, list.size]).to.deep.equal([undefined, undefined, 0]);
  });
});

describe('a linked set', () => {
  it('has the members of an array, in its order, and the same oldest one', () => {
    const step = fc.tuple(fc.constantFrom('add', 'add', 'delete', 'delete the oldest', 'clear'), fc.nat(5));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const set = new LinkedSet<number>();
        let model: number[] = [];
        for (const [what, value] of steps) {
          const gone = what === 'delete the oldest' ? (set.oldest ?? -1) : value;
          if (what === 'clear') {
            set.clear();
            model = [];
          } else if (what === 'add') {
            set.add(value);
            if (!model.includes(value)) model.push(value);
          } else {
            expect(set.delete(gone)).to.equal(model.includes(gone));
            model = model.filter((each) => each !== gone);
          }
          expect([set.oldest, set.size, [...set.values()]]).to.deep.equal([model[0], model.length, model]);
        }
      }),
    );
  });

  it('can lose members while its values are read', () => {
    const set = new LinkedSet<number>();
    for (const each of [1, 2, 3, 4]) set.add(each);
    const read: number[] = [];
    for (const each of set.values()) {
      read.push(each);
      set.delete(each);
      set.delete(3);
    }
    expect([read, set.size, set.oldest]).to.deep.equal([[1, 2, 4], 0, undefined]);
  });
});
