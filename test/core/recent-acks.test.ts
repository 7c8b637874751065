// Tests of the recent acknowledgements: the latest state of each entry, its age limit, and both bounds.

import { expect } from 'chai';
import fc from 'fast-check';
import type { AckRecord } from '../../src/core/durability/ack-record.js';
import { MAX_DENIALS, MAX_ROTATIONS } from '../../src/core/durability/limits.js';
import { RecentAcks } from '../../src/core/durability/recent-acks.js';
import type { SessionId } from '../../src/core/token/session-id.js';

type Kind = 'live' | 'ended' | 'not-before';
const TEXTS: Record<Kind, (progress: number) => string> = {
  live: (generation) => `1 5 live ${generation} 1 2 3 k`,
  ended: () => '1 6 ended logout',
  'not-before': (atMs) => `1 ${atMs} not-before`,
};

/** @param progress the generation of a live entry, or the time of a cut-off */
const line = (name: string, acknowledgedMs: number, kind: Kind = 'live', progress = acknowledgedMs): AckRecord => ({
  shard: 0,
  key:
    kind === 'not-before'
      ? { kind, subject: name }
      : { kind: 'session', subject: 'alice', sessionId: name as SessionId },
  text: TEXTS[kind](progress),
  keptUntilMs: 1_000_000,
  acknowledgedMs,
  incarnation: 'one',
});
const entryId = ({ key }: AckRecord): string => (key.kind === 'session' ? key.sessionId : key.subject);
const texts = (lines: RecentAcks): string[] =>
  lines.newestFirst().map((each) => `${entryId(each)} at ${each.acknowledgedMs}`);

describe('the lines of a ledger', () => {
  it('are listed newest first, of each entry the last', () => {
    const lines = new RecentAcks(() => false);
    for (const each of [line('a', 1), line('b', 2), line('a', 3), line('a', 4, 'not-before')]) lines.add(each);
    expect(texts(lines)).to.deep.equal(['a at 4', 'a at 3', 'b at 2']);
    expect(texts(new RecentAcks(() => false))).to.deep.equal([]);
  });

  it('are forgotten once they are too old, and not before', () => {
    let nowMs = 0;
    const lines = new RecentAcks(({ acknowledgedMs }) => acknowledgedMs < nowMs);
    for (const at of [1, 2, 3]) lines.add(line(`s${at}`, at));
    nowMs = 3;
    expect(texts(lines)).to.deep.equal(['s3 at 3']);
    nowMs = 9;
    lines.add(line('s9', 9));
    expect(texts(lines)).to.deep.equal(['s9 at 9']);
  });

  for (const [kind, limit] of [
    ['live', MAX_ROTATIONS],
    ['ended', MAX_DENIALS],
    ['not-before', MAX_DENIALS],
  ] as const) {
    it(`are ${limit} at most that are ${kind}: the oldest make room, time after time`, () => {
      const lines = new RecentAcks(() => false);
      const many = 2 * limit + 10;
      for (let n = 1; n <= many; n++) lines.add(line(`s${n}`, n, kind));
      const listed = texts(lines);
      expect(listed).to.have.length(limit);
      const least = many - limit + 1;
      expect([listed[0], listed.at(-1)]).to.deep.equal([`s${many} at ${many}`, `s${least} at ${least}`]);
    });
  }

  it('keep the ends and the cut-offs, however many refreshes come after them', () => {
    const lines = new RecentAcks(() => false);
    lines.add(line('ended', 1, 'ended'));
    lines.add(line('alice', 2, 'not-before'));
    for (let n = 3; n <= MAX_ROTATIONS + 10; n++) lines.add(line(`s${n}`, n));
    const listed = texts(lines);
    expect(listed).to.have.length(MAX_ROTATIONS + 2);
    expect(listed.slice(-2)).to.deep.equal(['alice at 2', 'ended at 1']);
  });

  it('keep the refreshes, however many ends come after them', () => {
    const lines = new RecentAcks(() => false);
    lines.add(line('live', 1));
    for (let n = 2; n <= MAX_DENIALS + 10; n++) lines.add(line(`s${n}`, n, 'ended'));
    expect(texts(lines).at(-1)).to.equal('live at 1');
  });

  it('count a session that ends among the ends, and no more among the refreshes', () => {
    const lines = new RecentAcks(() => false);
    for (let n = 1; n <= MAX_ROTATIONS; n++) lines.add(line(`s${n}`, n));
    lines.add(line('s1', 1, 'ended'));
    lines.add(line('new', MAX_ROTATIONS));
    const listed = texts(lines);
    expect(listed).to.have.length(MAX_ROTATIONS + 1);
    expect(listed).to.include.members(['s1 at 1', 's2 at 2', `new at ${MAX_ROTATIONS}`]);
  });

  it('never give way to an older state of their entry', () => {
    const further = [
      [line('a', 1, 'live', 7), line('a', 2, 'live', 6)],
      [line('a', 1, 'ended'), line('a', 2, 'live', 9)],
      [line('a', 1, 'not-before', 50), line('a', 2, 'not-before', 49)],
    ] as const;
    for (const [one, other] of further) {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ] as const) {
        const lines = new RecentAcks(() => false);
        lines.add({ ...first, incarnation: first.text, keptUntilMs: 8 });
        lines.add({ ...second, incarnation: second.text, keptUntilMs: 9, acknowledgedMs: 3 });
        const { text } = one;
        // Each text with the server that it was acknowledged for; kept as long as either, from the later time on.
        expect(lines.newestFirst()).to.deep.equal([
          { ...one, text, incarnation: text, keptUntilMs: 9, acknowledgedMs: 3 },
        ]);
      }
    }
  });

  it('never give way to an older state either after another one that was older still', () => {
    for (const first of [line('a', 1, 'live', 7), line('a', 1, 'ended')]) {
      const lines = new RecentAcks(() => false);
      for (const each of [first, line('a', 2, 'live', 5), line('a', 3, 'live', 6)]) lines.add(each);
      expect(lines.newestFirst().map(({ text }) => text)).to.deep.equal([first.text]);
    }
  });

  it('are kept for the longest lifetime of their entry that was written', () => {
    const lines = new RecentAcks(() => false);
    lines.add({ ...line('a', 1), keptUntilMs: 9 });
    lines.add({ ...line('a', 2), keptUntilMs: 8 });
    expect(lines.newestFirst().map(({ keptUntilMs }) => keptUntilMs)).to.deep.equal([9]);
    lines.add({ ...line('a', 3), keptUntilMs: 10 });
    expect(lines.newestFirst().map(({ keptUntilMs }) => keptUntilMs)).to.deep.equal([10]);
  });

  it('give way to another text of the same generation, which was answered later', () => {
    const lines = new RecentAcks(() => false);
    lines.add(line('a', 1, 'live', 7));
    lines.add({ ...line('a', 2), text: '1 99 live 7 1 2 3 k' });
    expect(lines.newestFirst().map(({ text }) => text)).to.deep.equal(['1 99 live 7 1 2 3 k']);
  });

  it('know whether a text of an entry was acknowledged for a server', () => {
    const lines = new RecentAcks(() => false);
    const ended = line('a', 1, 'ended');
    lines.add(ended);
    lines.add({ ...line('b', 1, 'ended'), incarnation: undefined });
    expect(lines.holds(ended.key, ended.text, 'one')).to.equal(true);
    expect(lines.holds(ended.key, '1 7 ended logout', 'one')).to.equal(false);
    expect(lines.holds(ended.key, ended.text, 'another')).to.equal(false);
    expect(lines.holds(line('b', 1).key, ended.text, undefined)).to.equal(false);
    expect(lines.holds(line('c', 1).key, ended.text, 'one')).to.equal(false);
  });

  it('are as many of others, however often one entry is acknowledged', () => {
    const lines = new RecentAcks(() => false);
    for (const name of ['a', 'b', 'c']) lines.add(line(name, 0));
    for (let n = 1; n <= MAX_ROTATIONS; n++) lines.add(line('b', n));
    expect(texts(lines)).to.deep.equal([`b at ${MAX_ROTATIONS}`, 'c at 0', 'a at 0']);
    lines.add(line('a', MAX_ROTATIONS + 1));
    expect(texts(lines)).to.deep.equal([`a at ${MAX_ROTATIONS + 1}`, `b at ${MAX_ROTATIONS}`, 'c at 0']);
  });

  it('are those that a map ordered by time would hold, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(3))), (steps) => {
        let nowMs = 0;
        const lines = new RecentAcks(({ acknowledgedMs }) => acknowledgedMs < nowMs - 6);
        const model = new Map<string, number>();
        for (const [entry, passed] of steps) {
          nowMs += passed;
          lines.add(line(`s${entry}`, nowMs));
          model.delete(`s${entry}`);
          model.set(`s${entry}`, nowMs);
        }
        const kept = [...model].filter(([, acknowledgedMs]) => acknowledgedMs >= nowMs - 6).reverse();
        expect(texts(lines)).to.deep.equal(kept.map(([name, acknowledgedMs]) => `${name} at ${acknowledgedMs}`));
      }),
    );
  });
});
