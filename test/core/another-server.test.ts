// Tests of how the ledger notices that another server has answered: before the read, after it, and by the count of writes.

import { expect } from 'chai';
import type { Birth } from '../../src/core/entries.js';
import { Ledger } from '../../src/core/ledger.js';
import { World } from '../support/world.js';

const SHARD = 1;
const birth = (writes: number, atMs = 5): Birth => ({ atMs, foreignSinceMs: undefined, writes });

describe('an answer of the store', () => {
  let world: World;
  let ledger: Ledger;
  beforeEach(() => {
    world = new World();
    ledger = new Ledger(world.store(0), () => {});
    expect(ledger.isBehind(ledger.known(SHARD), birth(3))).to.equal(false);
  });

  it('is of the server that was looked at', () => {
    expect(ledger.isBehind(ledger.known(SHARD), birth(3))).to.equal(false);
  });

  it('may be of another one that came after the question', () => {
    const known = ledger.known(SHARD);
    world.incarnation++;
    expect(ledger.isBehind(known, birth(3))).to.equal(true);
  });

  it('may be of another one that was there at the question, though it is gone', () => {
    world.incarnation++;
    const known = ledger.known(SHARD);
    world.incarnation--;
    expect(ledger.isBehind(known, birth(3))).to.equal(true);
  });

  it('is of an older state with a lower count, or an earlier birth', () => {
    expect(ledger.isBehind(ledger.known(SHARD), birth(2))).to.equal(true);
    expect(ledger.isBehind(ledger.known(SHARD), birth(9, 4))).to.equal(true);
  });

  it('is judged by what was known before the question: one that was overtaken is no older state', () => {
    const known = ledger.known(SHARD);
    expect(ledger.isBehind(ledger.known(SHARD), birth(7))).to.equal(false);
    expect(ledger.isBehind(known, birth(4))).to.equal(false);
    // And takes nothing back of what was known since.
    expect(ledger.isBehind(ledger.known(SHARD), birth(6))).to.equal(true);
  });
});
