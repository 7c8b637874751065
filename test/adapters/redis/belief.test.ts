// Owns the proof of the rule by which a primary is believed: no two processes use two primaries in turn and back.

import { expect } from 'chai';
import { Belief, LEASE_MS, REST_MS } from '../../../src/adapters/redis/belief.js';
import { Random } from '../../chaos/random.js';

const ALL = new Set(['a', 'b', 'c']);
const BEGIN = -10 * LEASE_MS;

/** What may be used at a moment. */
const usable = (belief: Belief, nowMs: number, all = ALL): string | undefined => {
  const { primary, fromMs, untilMs } = belief.verdict(all);
  return nowMs >= fromMs && nowMs < untilMs ? primary : undefined;
};

describe('the belief in a primary', () => {
  let belief: Belief;
  beforeEach(() => {
    belief = new Belief(false);
  });
  /** @param atMs when they are asked; the answer is there a moment later */
  const hear = (names: string, says: string, atMs: number, heldMs = 0): void => {
    for (const name of names) belief.hear(name, says, atMs, atMs + 1, heldMs);
  };

  it('needs more than half of the witnesses, heard or not', () => {
    hear('a', 'old', 0, REST_MS);
    expect(usable(belief, 10)).to.equal(undefined);
    hear('b', 'old', 0, REST_MS);
    expect(usable(belief, 10)).to.equal('old');
    expect(usable(belief, 10, new Set([...ALL, 'd']))).to.equal(undefined);
  });

  it('ends with the lease, counted from the question', () => {
    hear('ab', 'old', 0, REST_MS);
    expect(usable(belief, LEASE_MS - 1)).to.equal('old');
    expect(usable(belief, LEASE_MS)).to.equal(undefined);
    hear('ab', 'old', LEASE_MS, REST_MS);
    expect(usable(belief, LEASE_MS + 10)).to.equal('old');
  });

  it('in another one begins when that has been named for as long as others may still use the old one', () => {
    hear('abc', 'old', BEGIN, REST_MS);
    let nowMs = 0;
    for (; nowMs < REST_MS; nowMs += 100) {
      hear('abc', 'new', nowMs);
      expect(usable(belief, nowMs + 1)).to.equal(undefined);
    }
    hear('abc', 'new', nowMs);
    expect(usable(belief, REST_MS + 1)).to.equal('new');
  });

  it('takes the word of a witness for how long it has said so, but not against its own earlier word', () => {
    hear('abc', 'new', 0, 60_000);
    expect(usable(belief, 2)).to.equal('new');
    hear('abc', 'newer', 10, 60_000);
    expect(usable(belief, 12)).to.equal(undefined);
  });

  it('forgets how long something was said, in a silence in which something else may have been', () => {
    hear('abc', 'old', 0);
    hear('abc', 'old', REST_MS + 10);
    expect(usable(belief, REST_MS + 20)).to.equal(undefined);
  });

  it('needs no rest where all say it, the one before included', () => {
    belief = new Belief(true);
    hear('ab', 'new', 0);
    expect(usable(belief, 2)).to.equal(undefined);
    hear('c', 'new', 0);
    expect(usable(belief, 2)).to.equal('new');
  });

  it('never has one process use the old one after another has used the new one, in 400 random histories', () => {
    const random = new Random(20_261_126);
    let both = 0;
    for (let n = 0; n < 400; n++) {
      const names = Array.from({ length: random.pick([1, 3, 4, 5]) }, (_, i) => `w${i}`);
      const all = new Set(names);
      const endMs = 8_000;
      // Each witness hears of it at a time of its own, or never.
      const toldMs = new Map(names.map((name) => [name, random.between(2_000, random.chance(0.2) ? 20_000 : 4_000)]));
      const uses: { readonly primary: string; readonly atMs: number }[] = [];
      for (let process = 0; process < 3; process++) {
        const mine = new Belief(false);
        const clockMs = random.between(-1e6, 1e6);
        // What each poll of it hears, when that is there.
        const polls = names.flatMap((name) => {
          const found: { readonly name: string; readonly askedMs: number; readonly receivedMs: number }[] = [];
          for (let atMs = random.between(-3_000, 0); atMs < endMs; ) {
            const receivedMs = atMs + random.between(0, random.chance(0.1) ? 2_500 : 100);
            found.push({ name, askedMs: atMs, receivedMs });
            // Sometimes it does not get to it for long.
            atMs = receivedMs + random.between(50, random.chance(0.1) ? 3_000 : 400);
          }
          return found;
        });
        for (const { name, askedMs, receivedMs } of polls.sort((a, b) => a.receivedMs - b.receivedMs)) {
          const answeredMs = random.between(askedMs, receivedMs);
          const switchedMs = toldMs.get(name) ?? 0;
          const says = answeredMs >= switchedMs ? 'new' : 'old';
          const heldMs = says === 'new' ? answeredMs - switchedMs : 3_600_000;
          mine.hear(name, says, askedMs + clockMs, receivedMs + clockMs, heldMs);
          const atMs = receivedMs + random.between(0, 300);
          const primary = usable(mine, atMs + clockMs, all);
          if (primary !== undefined) uses.push({ primary, atMs });
        }
      }
      const of = (which: string): number[] => uses.filter(({ primary }) => primary === which).map(({ atMs }) => atMs);
      if (of('old').length > 0 && of('new').length > 0) both++;
      expect(Math.max(0, ...of('old')), `history ${n}`).to.be.below(Math.min(Number.POSITIVE_INFINITY, ...of('new')));
    }
    expect(both).to.be.above(150);
  });
});
