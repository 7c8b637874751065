// Tests how tests use time: waiting.ts alone lets it pass, each use of that says why, and short bounds run apart.

import { expect } from 'chai';
import { ALONE, TIMED } from '../support/suite-files.js';
import { codeIn, sourceFiles } from './imports.js';

const WAITS = 'test/support/waiting.ts';
/** Where else a timer may be named, and what it is for. */
const TIMERS: Readonly<Record<string, string>> = {
  [WAITS]: 'the waits themselves',
  'test/chaos/main.ts': 'the bound on its own process',
  'test/browser/chromium.check.ts': 'text of a page: it leaves the page after the evaluation',
  'test/browser/faults.check.ts': 'text of a page: an expiry, and a record of the timers that the page sets',
  'test/browser/other-sites.check.ts': 'text of a page: a bound on what may never load',
  'test/chaos/validator-child.ts': 'blocks the event loop: a process that is suspended',
  'test/validator/service.test.ts': 'blocks the event loop: a process that is suspended',
  'test/gateway/stop.test.ts': 'text of a program: the bound on its process',
  'test/support/suite.ts': 'the bound on its own process',
  'test/package/walk.ts': 'text of a program: the bound on its process',
};
/** A global timer, an import of one under any name, and what else lets time pass. The method of a socket is none. */
const TIMER = /(?<!\bsocket\.)\bsetTimeout\b|\bwaitForTimeout\b|\bscheduler\.wait\b|\bAtomics\.wait\b/;
/** A reason of two words or more. */
const REASON = /^[^;]*?, (?:'[^']*\w \w[^']*'|"[^"]*\w \w[^"]*")/;

/** An assertion on the time that has passed, and its bound in ms. */
const BOUND =
  /expect\((?:performance|Date)\.now\(\) - \w+(?:, [^)]*)?\)\.to\.be\.(?:below|lessThan|at\.most|within)\((?:[^)]*, )?([^),]+)\)/g;
const NUMBER = /^[\d_]+$/;
/** On a slow machine, beside the other files, so much time may pass although nothing is wrong. */
const LEAST_BOUND_MS = 3_000;
const APART: readonly string[] = [...Object.keys(TIMED), ...Object.keys(ALONE)];

/** What a bound comes to, as far as it is a number or a constant of the same file; otherwise nothing. */
function msOf(bound: string, code: string): number {
  const text = NUMBER.test(bound) ? bound : (new RegExp(`const ${bound} = ([\\d_]+);`).exec(code)?.[1] ?? '0');
  return Number(text.replaceAll('_', ''));
}

const files = sourceFiles('test');

describe('bounds on time', () => {
  it('of less than three seconds are in files that run apart from the others', () => {
    const short = files
      .filter((path) => path.endsWith('.test.ts') && !APART.includes(path))
      .flatMap((path) => {
        const code = codeIn(path);
        const bounds = [...code.matchAll(BOUND)].filter(([, bound = '']) => msOf(bound, code) < LEAST_BOUND_MS);
        return bounds.map(([text]) => `${path}: ${text}`);
      });
    expect(short).to.deep.equal([]);
  });
});

describe('the waits of tests', () => {
  it('let time pass in one module alone, and in the places that are listed', () => {
    expect(files.filter((path) => TIMER.test(codeIn(path))).sort()).to.deep.equal(Object.keys(TIMERS).sort());
  });

  it('say why, where they let time pass', () => {
    const silent = files
      .filter((path) => ![WAITS, 'test/docs/waits.test.ts'].includes(path))
      .flatMap((path) =>
        codeIn(path)
          .split(/\belapse\(/)
          .slice(1)
          .filter((rest) => !REASON.test(rest))
          .map((rest) => `${path}: ${rest.split('\n')[0]}`),
      );
    expect(silent).to.deep.equal([]);
  });
});
