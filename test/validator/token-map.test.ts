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
