// Proof that lines which repeat cost the log little, whatever their number and their kinds.

import { expect } from 'chai';
import { createLogger } from '../../../src/platform/log.js';
import { outline } from '../../../src/platform/output/foreign-output.js';
import { Repeats } from '../../../src/platform/output/repeats.js';
import { elapse, until } from '../../support/waiting.js';

const MAX_KINDS = 32;

function recordingLog() {
  const written: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void written.push(JSON.parse(line)) };
  return { log: createLogger({ level: 'debug', name: 'test', destination }), lines: () => written };
}

describe('lines that repeat', () => {
  it('are written once, and counted when the time is over; then they are new again', async () => {
    const { log, lines } = recordingLog();
    const repeats = new Repeats(() => log, 20);
    for (let n = 0; n < 1_000; n++) repeats.write('a', 'warn', { n }, 'said');
    expect(lines()).to.have.length(1);
    await until(() => lines().length >= 2, undefined, { seen: lines });
    expect(lines()[1]).to.include({ more: 999, msg: 'said: 999 more like this' });
    await elapse(100, 'a time without any of the kind ends it');
    repeats.write('a', 'warn', { n: 1 }, 'said');
    expect(lines().at(-1)).to.include({ n: 1, msg: 'said' });
    repeats.close();
  });

  it('are of a bounded number of kinds; all others are one kind', () => {
    const { log, lines } = recordingLog();
    const repeats = new Repeats(() => log);
    for (let n = 0; n < 10_000; n++) repeats.write(`kind ${n}`, 'warn', {}, 'said');
    expect(lines()).to.have.length(MAX_KINDS + 1);
    repeats.close();
    expect(lines()).to.have.length(MAX_KINDS + 2);
    expect(lines().at(-1)).to.include({ more: 10_000 - MAX_KINDS - 1 });
  });
});

describe('the outline of a text', () => {
  for (const [text, wanted] of [
    [
      'E Failed to add metadata entry authorization: Bearer open sesame. Metadata',
      'Failed to add metadata entry authorization',
    ],
    [
      '[WARN] Redis server does not require a password, but a password was supplied.',
      'Redis server does not require a password, but a password was supplied.',
    ],
    ['Error: No space left\n    at f (/x.js:1:2)', 'Error'],
    ['password=sesame', 'password'],
    ['"sesame"', ''],
    ['at 2026-11-28', 'at'],
    [`key ${'ab-_'.repeat(20)} end`, 'key'],
    ['word '.repeat(1_000), 'word '.repeat(20).trim()],
    ['', ''],
  ] as const) {
    it(`keeps of ${JSON.stringify(text.slice(0, 40))} what comes before its values`, () => {
      expect(outline(text)).to.equal(wanted);
    });
  }
});
