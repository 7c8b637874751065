// Tests that each section of `npm run bench:feed` measures something.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { below } from '../../bench/feed/figure.js';
import { readOptions, SECTIONS } from '../../bench/feed/sections.js';
import { V8_OPTIONS } from '../support/v8-options.js';

const PROGRAM = fileURLToPath(new URL('../../bench/feed/main.js', import.meta.url));

/** How many lines each section has. */
const LINES: Readonly<Record<keyof typeof SECTIONS, number>> = {
  ...{ 'never-seen': 1, strict: 2, streams: 2, known: 2, held: 2, fleet: 2, redis: 1 },
};

/** The rows of all sections, by one start of the bench. */
async function quickRows(): Promise<string[][]> {
  const args = [...V8_OPTIONS, PROGRAM, '--quick', '--only', Object.keys(LINES).join(',')];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  expect([code, stderr]).to.deep.equal([0, '']);
  const lines = stdout.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '));
}

describe('the bench of the feed', function () {
  this.timeout(180_000);

  let rows: string[][];
  before(async () => {
    rows = await quickRows();
  });

  it('has as many figures as its sections have', () => {
    expect(rows).to.have.length(Object.values(LINES).reduce((sum, lines) => sum + lines, 0));
  });

  for (const [section, lines] of Object.entries(LINES)) {
    it(`has figures in its section ${section}`, () => {
      const own = rows.splice(0, lines);
      expect(own).to.have.length(lines);
      for (const [what = '', , measured = ''] of own) {
        expect(what).to.not.equal('');
        expect(measured).to.match(/^-?\d/);
        expect(measured).to.not.match(/NaN|Infinity|∞|undefined/);
      }
    });
  }

  it('has no other sections, and says what it does not know', () => {
    expect(Object.keys(SECTIONS)).to.have.members(Object.keys(LINES));
    expect(() => readOptions(['--only', 'strict,nonsense'])).to.throw('wanted: some of never-seen, strict');
  });

  it('does not call a goal met by a figure that is none', () => {
    expect(below(2, Number.NaN, '2')?.isMet).to.equal(false);
    expect(below(2, 1.9, '2')?.isMet).to.equal(true);
    expect(below(2, 2, '2')?.isMet).to.equal(false);
  });
});
