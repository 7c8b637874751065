// Tests of what developers start: npm scripts, lists of test files, the hosted CI.

import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ALONE, FIRST, TIMED } from '../support/suite-files.js';
import { sourceFiles } from './imports.js';
import { readText } from './markdown.js';

interface MochaList {
  readonly spec: readonly string[];
  readonly ignore: readonly string[];
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

/** How a pattern of mocha's lists names compiled files; a star matches a part of a name. */
const patternOf = (glob: string): RegExp => new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);

describe('the workshop', () => {
  it('lets mocha run one file alone: package.json names none', () => {
    const { mocha, scripts } = JSON.parse(readText('package.json'));
    expect(mocha).to.not.have.property('spec');
    expect(scripts.test).to.match(/exec bash test\/support\/suite\.sh$/);
  });

  it('gives V8 only options that it has', () => {
    const options = readText('test/support/suite.sh').match(/(?<=exec node )--\S+/g) ?? [];
    expect(options).to.have.length(1);
    const { status, stderr } = spawnSync(process.execPath, [...options, '--eval', ''], { encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([0, '']);
  });

  it('runs only files apart, and begins only with files, that are there; none of those is in two lists', () => {
    const listed = [...Object.keys(TIMED), ...Object.keys(ALONE), ...FIRST];
    const files = sourceFiles('test').filter((path) => path.endsWith('.test.ts'));
    expect(listed.filter((path) => !files.includes(path))).to.deep.equal([]);
    expect(listed).to.have.length(new Set(listed).size);
  });

  for (const list of ['test/fast.json', 'test/unit.json', 'test/soak.json']) {
    it(`${list} names only tests that are there`, () => {
      const files = sourceFiles('test').map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
      const { spec, ignore } = JSON.parse(readText(list)) as MochaList;
      const idle = [...spec, ...ignore].filter((glob) => !files.some((path) => patternOf(glob).test(path)));
      expect(idle).to.deep.equal([]);
    });
  }

  it('has a hosted CI that runs .ci/run, with few rights and actions of exact versions', () => {
    const { permissions, jobs } = parse(readText('.github/workflows/ci.yml'));
    const steps = (Object.values(jobs) as { steps: Step[] }[]).flatMap((job) => job.steps);
    expect(permissions).to.deep.equal({ contents: 'read' });
    expect(steps.map(({ run }) => run)).to.include('bash .ci/run');
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.filter((name) => !/@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/.test(name))).to.deep.equal([]);
  });
});
