// Owns the proof that the ledger's lines are the last ones: of each entry one, none too old, and no more than so many.

import { expect } from 'chai';
import fc from 'fast-check';
import { type Line, Lines } from '../../src/core/lines.js';
import { MAX_LEDGER } from '../../src/core/policy.js';
import type { SessionId } from '../../src/core/session.js';

const line = (name: string, notedMs: number, kind: 'session' | 'not-before' = 'session'): Line => ({
  shard: 0,
  key: kind === 'session' ? { kind, subject: 'alice', sessionId: name as SessionId } : { kind, subject: name },
  text: `${name} at ${notedMs}`,
  keptUntilMs: 1_000_000,
  notedMs,
});
const texts = (lines: Lines): string[] => lines.newestFirst().map(({ text }) => text);

describe('the lines of a ledger', () => {
  it('are told newest first, of each entry the last', () => {
    const lines = new Lines(() => false);
    for (const each of [line('a', 1), line('b', 2), line('a', 3), line('a', 4, 'not-before')]) lines.add(each);
    expect(texts(lines)).to.deep.equal(['a at 4', 'a at 3', 'b at 2']);
    expect(texts(new Lines(() => false))).to.deep.equal([]);
  });

  it('are forgotten once they are too old, and not before', () => {
    let nowMs = 0;
    const lines = new Lines(({ notedMs }) => notedMs < nowMs);
    for (const at of [1, 2, 3]) lines.add(line(`s${at}`, at));
    nowMs = 3;
    expect(texts(lines)).to.deep.equal(['s3 at 3']);
    nowMs = 9;
    lines.add(line('s9', 9));
    expect(texts(lines)).to.deep.equal(['s9 at 9']);
  });

  it('are so many at most: the oldest make room, time after time', () => {
    const lines = new Lines(() => false);
    const many = 2 * MAX_LEDGER + 10;
    for (let n = 1; n <= many; n++) lines.add(line(`s${n}`, n));
    const told = texts(lines);
    expect(told).to.have.length(MAX_LEDGER);
    const least = many - MAX_LEDGER + 1;
    expect([told[0], told.at(-1)]).to.deep.equal([`s${many} at ${many}`, `s${least} at ${least}`]);
  });

  it('are as many of others, however often one entry is acknowledged', () => {
    const lines = new Lines(() => false);
    for (const name of ['a', 'b', 'c']) lines.add(line(name, 0));
    for (let n = 1; n <= MAX_LEDGER; n++) lines.add(line('b', n));
    expect(texts(lines)).to.deep.equal([`b at ${MAX_LEDGER}`, 'c at 0', 'a at 0']);
    lines.add(line('a', MAX_LEDGER + 1));
    expect(texts(lines)).to.deep.equal([`a at ${MAX_LEDGER + 1}`, `b at ${MAX_LEDGER}`, 'c at 0']);
  });

  it('are those that a map ordered by time would hold, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(3))), (steps) => {
        let nowMs = 0;
        const lines = new Lines(({ notedMs }) => notedMs < nowMs - 6);
        const model = new Map<string, number>();
        for (const [entry, passed] of steps) {
          nowMs += passed;
          lines.add(line(`s${entry}`, nowMs));
          model.delete(`s${entry}`);
          model.set(`s${entry}`, nowMs);
        }
        const kept = [...model].filter(([, notedMs]) => notedMs >= nowMs - 6).reverse();
        expect(texts(lines)).to.deep.equal(kept.map(([name, notedMs]) => `${name} at ${notedMs}`));
      }),
    );
  });
});
