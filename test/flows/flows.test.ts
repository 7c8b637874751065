// Tests of the table of what a call enters: the reading of V8's coverage, and that no call enters more than the table says.

import { expect } from 'chai';
import { readText, tableBelow } from '../docs/markdown.js';
import { COLUMNS, calledIn, commonTo, rowOf, type ScriptCoverage } from './coverage.js';
import { measureFlows } from './flows.js';

const scriptOf = (file: string, counts: Readonly<Record<string, number>>): ScriptCoverage => ({
  url: `file:///somewhere/dist/${file}`,
  functions: Object.entries(counts).map(([functionName, count], startOffset) => ({
    functionName,
    ranges: [{ startOffset, count }],
  })),
});

describe('what a call enters', () => {
  it('is each function that was called, in its file', () => {
    const called = calledIn([
      scriptOf('src/core/a.js', { first: 1, second: 0, third: 7 }),
      scriptOf('src/b.js', { x: 0 }),
    ]);
    expect([...called]).to.deep.equal([
      ['src/core/a.js:0 first', 'src/core/a.js'],
      ['src/core/a.js:2 third', 'src/core/a.js'],
    ]);
  });

  it('is only what was called in each run', () => {
    const runs = [
      { call: 1, timer: 1 },
      { call: 1, timer: 0 },
    ].map((counts) => calledIn([scriptOf('src/a.js', counts)]));
    expect([...commonTo(runs).keys()]).to.deep.equal(['src/a.js:0 call']);
  });

  it('is counted by folders', () => {
    const scripts = [
      scriptOf('src/core/a.js', { x: 1, y: 1 }),
      scriptOf('src/core/b.js', { x: 1 }),
      scriptOf('gateway/a.js', { x: 1 }),
      scriptOf('src/platform/a.js', { x: 1 }),
    ];
    expect(rowOf('Call', calledIn(scripts))).to.deep.equal(['Call', 5, 4, 1, 0, 2, 0, 1]);
  });

  it('is no more than docs/architecture.md says', async () => {
    const page = readText('docs/architecture.md');
    const rows = tableBelow(page, '### What a call enters');
    expect(page).to.include(`\n| ${COLUMNS.join(' | ')} |\n`);
    const measured = (await measureFlows()).map(({ name, called }) => rowOf(name, called));
    expect(measured.map(([name]) => name)).to.deep.equal(rows.map(([name]) => name));
    for (const [index, row] of measured.entries()) {
      for (const [column, count] of [...row.entries()].slice(1)) {
        expect(count, `${row[0]}: ${COLUMNS[column]}`).to.be.at.most(Number(rows[index]?.[column]));
      }
    }
  });
});
