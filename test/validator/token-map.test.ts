// The proof of the memory of tokens: whole texts, and bounds in number and in size.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { TokenMap } from '../../src/validator/token-map.js';

const text = (n: number, length = 700): string => `${n}`.padStart(length, 'abcdefgh');

describe('the memory of tokens', () => {
  it('finds a text that was made anew, and none that only ends alike', () => {
    const memory = new TokenMap<string>(10);
    memory.set(text(1), 'one');
    expect(memory.get(Buffer.from(text(1)).toString('latin1'))).to.equal('one');
    expect(memory.get(`x${text(1).slice(1)}`)).to.equal(undefined);
    expect(memory.get(text(1).slice(-43))).to.equal(undefined);
    expect(memory.get('')).to.equal(undefined);
  });

  it('hands out its own copy of a text', () => {
    const memory = new TokenMap<string>(10);
    expect(memory.ownText(text(1))).to.equal(undefined);
    memory.set(text(1), 'one');
    expect([memory.ownText(text(1)), memory.ownText(`x${text(1).slice(1)}`)]).to.deep.equal([text(1), undefined]);
  });

  it('has one place for texts that end alike: the one that was set last', () => {
    const memory = new TokenMap<string>(10);
    memory.set(text(1), 'one');
    memory.set(`x${text(1).slice(1)}`, 'other');
    expect([memory.get(text(1)), memory.get(`x${text(1).slice(1)}`), memory.size]).to.deep.equal([
      ...[undefined, 'other', 1],
    ]);
    memory.delete(text(1));
    expect(memory.size).to.equal(1);
  });

  it('holds no more tokens than its bound: those that were set first go', () => {
    const memory = new TokenMap<number>(100);
    for (let n = 0; n < 150; n++) memory.set(text(n), n);
    memory.set(text(50), 50);
    memory.set(text(150), 150);
    expect(memory.size).to.equal(100);
    expect([49, 50, 51, 52, 150].map((n) => memory.get(text(n)))).to.deep.equal([undefined, 50, undefined, 52, 150]);
  });

  it('forgets in the order of setting, whatever was deleted, replaced or cleared meanwhile', () => {
    const memory = new TokenMap<number>(5);
    const known = (): number[] => Array.from({ length: 30 }, (_, n) => n).filter((n) => memory.get(text(n)) === n);
    const set = (...numbers: number[]): void => {
      for (const n of numbers) memory.set(text(n), n);
    };
    set(0, 1, 2, 3, 4);
    // The oldest, one in the middle, and the newest.
    for (const n of [0, 2, 4]) memory.delete(text(n));
    set(5, 6, 7);
    expect(known()).to.deep.equal([1, 3, 5, 6, 7]);
    set(8);
    expect(known()).to.deep.equal([3, 5, 6, 7, 8]);
    // Set again, and displaced by another text with the same end: both count from now.
    set(3);
    memory.set(`x${text(5).slice(1)}`, 5);
    set(9, 10, 11);
    expect(known()).to.deep.equal([3, 9, 10, 11]);
    expect(memory.get(`x${text(5).slice(1)}`)).to.equal(5);
    set(12);
    expect(known()).to.deep.equal([9, 10, 11, 12]);
    for (const n of [9, 10, 11, 12]) memory.delete(text(n));
    memory.delete(`x${text(5).slice(1)}`);
    expect(memory.size).to.equal(0);
    set(13, 14, 15, 16, 17, 18);
    expect(known()).to.deep.equal([14, 15, 16, 17, 18]);
    memory.clear();
    expect(known()).to.deep.equal([]);
    set(19, 20, 21, 22, 23, 24);
    expect(known()).to.deep.equal([20, 21, 22, 23, 24]);
  });

  it('holds one token that is larger than its bound, until the next one comes', () => {
    const memory = new TokenMap<number>(2);
    memory.set(text(1), 1);
    memory.set(text(2, 8_192), 2);
    expect([memory.size, memory.get(text(2, 8_192))]).to.deep.equal([1, 2]);
    memory.set(text(3), 3);
    expect([memory.size, memory.get(text(3))]).to.deep.equal([1, 3]);
  });

  it('counts a large token as several, so that its bytes are bounded too', () => {
    const memory = new TokenMap<number>(100);
    for (let n = 0; n < 100; n++) memory.set(text(n, 8_192), n);
    expect(memory.size).to.equal(12);
    for (let n = 0; n < 12; n++) memory.delete(text(88 + n, 8_192));
    expect(memory.size).to.equal(0);
    for (let n = 0; n < 100; n++) memory.set(text(n), n);
    expect(memory.size).to.equal(100);
  });

  it('keeps nothing of the larger text that a token was cut from', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const memory = new TokenMap<number>(1_000);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 100; n++) memory.set(text(n, 1_000_000).slice(-700), n);
    collect();
    expect(memory.size).to.equal(100);
    expect(process.memoryUsage().heapUsed - before).to.be.below(10_000_000);
  });
});
