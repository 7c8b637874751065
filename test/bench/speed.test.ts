// Tests that `npm run bench` measures what it says, and that no wrong answer becomes a figure.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cleanly } from '../../bench/machine/cleanup.js';
import { startEcho } from '../../bench/servers/bare.js';
import { enter } from '../../bench/speed/contenders.js';
import { contest, type Figures, WrongAnswers } from '../../bench/speed/contest.js';
import { Lab } from '../../bench/speed/lab.js';
import { readOptions } from '../../bench/speed/options.js';
import { lackingIn } from '../../bench/speed/readme.js';
import { rowOf } from '../../bench/speed/row.js';
import { cannedValidation, validating } from '../../bench/speed/scenarios/validate.js';
import { rowsTable, targetsTable } from '../../bench/speed/tables.js';
import { ValidateTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { tableBelow } from '../docs/markdown.js';
import { V8_OPTIONS } from '../support/v8-options.js';

const PROGRAM = fileURLToPath(new URL('../../bench/speed/speed.js', import.meta.url));
const ROUNDS = { rounds: 1, ms: 100, warmMs: 50, warmTokens: 1 };
const QUICK = readOptions(['--quick'], []);

async function run(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...V8_OPTIONS, PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('the bench', function () {
  this.timeout(120_000);

  it('starts servers and load, and prints a table of their figures', async () => {
    const { code, stdout, stderr } = await run('--quick', '--seconds', '0.1', '--only', 'logout');
    expect([code, stderr]).to.deep.equal([0, '']);
    const rows = tableBelow(stdout.replace('\nlogout\n', '\n# logout\n'), '# logout');
    expect(rows.map(([what]) => what)).to.deep.equal(['logout', 'logout, LMDB']);
    for (const [, , calls = '', ratio = ''] of rows) {
      expect(calls).to.match(/^[1-9]\d* \/ [1-9]\d*$/);
      expect(ratio).to.match(/^\*\*\d+\.\d\d\*\* \(\d+\.\d\d–\d+\.\d\d\)$/);
    }
  });

  it('keeps the figures of scenarios that this machine has not run', () => {
    const document = '### validate\n\n| a |\n\n### guard\n\n### What was to be reached\n\n### Growth\n';
    const guard = { day: '2026-01-01', rounds: 1, seconds: 1, rows: [] };
    expect(lackingIn({ scenarios: { guard }, growth: [] }, document)).to.deep.equal(['validate', 'Growth']);
    expect(lackingIn({ scenarios: { guard, validate: guard }, growth: [] }, document)).to.deep.equal(['Growth']);
    expect(lackingIn({ scenarios: { guard }, growth: [] }, '### guard\n')).to.deep.equal([]);
  });

  it('has no figures for a server that answers wrongly', () =>
    cleanly(async (cleanup) => {
      const lab = await Lab.open(QUICK);
      cleanup.add(() => lab.close());
      const good = cannedValidation(lab);
      const bad = ValidateTokenResponse.encode({ ...ValidateTokenResponse.decode(good), active: false }).finish();
      const work = validating(lab, 'ES256', lab.fresh(10), good, 'in turn').theirs;
      const contender = async (name: string, validateToken: Uint8Array) => {
        const echo = await startEcho(lab.folder, { validateToken });
        cleanup.add(() => echo.stop());
        return enter(lab, { name, servers: [echo], helpers: [], work }, cleanup);
      };
      const [[figures] = []] = await contest([await contender('good', good)], ROUNDS);
      expect(figures?.callsPerS).to.be.greaterThan(0);
      const failure = await contest([await contender('planted', bad)], ROUNDS).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(WrongAnswers);
      expect(`${failure}`).to.match(/planted: ([1-9]\d*) of \1 answers were not the expected one/);
    }));

  it('says what it does not know', async () => {
    const { code, stderr } = await run('--only', 'validate,nonsense');
    expect(code).to.equal(1);
    expect(stderr).to.match(/^--only nonsense; wanted: some of validate, /);
    expect(() => readOptions(['--rounds', 'x'], [])).to.throw('--rounds is "x"; wanted: a number over 0');
    expect(() => readOptions(['--sekonds', '1'], [])).to.throw('wanted: [--only');
  });
});

describe('the table of the bench', () => {
  const figures = (callsPerS: number, cpuUs: number): Figures => ({
    count: 1,
    callsPerS,
    cpuUs,
    p50Ms: 1,
    p99Ms: 2,
    othersCpu: 0,
  });
  const named = { id: 'validate/same/redis', what: 'validate', against: 'bare gRPC echo' };

  it('shows the median of the ratios of each round, not a ratio of medians', () => {
    const ours = [figures(90, 10), figures(50, 10), figures(10, 10)];
    const theirs = [figures(100, 10), figures(100, 5), figures(10, 1)];
    const row = rowOf(named, ours, theirs);
    expect([row.rate, row.cpu]).to.deep.equal([
      { median: 0.9, least: 0.5, most: 1 },
      { median: 2, least: 1, most: 10 },
    ]);
    expect(rowsTable([row])).to.include('| 50 / 100 | **0.90** (0.50–1.00) | 10.0 / 5.0 | **2.00** (1.00–10.00) |');
  });

  it('says what is met, what is not, and what was not measured', () => {
    const text = targetsTable([rowOf(named, [figures(95, 20)], [figures(100, 10)])]);
    expect(text).to.include('| at least 0.9 | 0.95 | met |');
    expect(text).to.include('| at most 1.12 | 2.00 | **not met** |');
    expect(text).to.include('| at least 0.93 | – | not measured |');
  });
});
