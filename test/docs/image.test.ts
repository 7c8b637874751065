// Tests that the image holds what the code reads at run time, is built from what it may see, and is not root.

import { posix } from 'node:path';
import { expect } from 'chai';
import { IMAGE_OPTIONS } from '../../bench/feed/streams.js';
import { codeIn, importsOf, sourceFiles } from './imports.js';
import { readText } from './markdown.js';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

type Stage = readonly Instruction[];

/** The stages of the Dockerfile, each as its instructions. */
function readStages(): readonly Stage[] {
  const text = readText('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  const instructions = [...text.matchAll(/^([A-Z]+) +(.+)$/gm)].map(([, name = '', rest = '']) => ({ name, rest }));
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
  return starts.map((start, n) => instructions.slice(start, starts[n + 1]));
}

const all = (stage: Stage, name: string): string[] =>
  stage.filter((each) => each.name === name).map(({ rest }) => rest);

/** What a stage copies from the folder of the project, or from other stages, as sources and target. */
const copies = (stage: Stage, fromStages: boolean): { sources: string[]; target: string }[] =>
  all(stage, 'COPY')
    .filter((rest) => rest.startsWith('--from=') === fromStages)
    .map((rest) => {
      const words = rest.replace(/^--from=\S+ /, '').split(/ +/);
      return { sources: words.slice(0, -1), target: posix.normalize(words.at(-1) ?? '') };
    });

describe('the image', () => {
  let stages: readonly Stage[] = [];
  let last: Stage = [];

  before(() => {
    stages = readStages();
    last = stages.at(-1) ?? [];
  });

  /** Whether the finished image has a file, named by its path below /app. */
  const holds = (path: string): boolean =>
    [...copies(last, true), ...copies(last, false)].some(({ sources, target }) =>
      target === './' ? sources.includes(path) : path === target || path.startsWith(`${target}/`),
    );

  it('is made of one official image of a named version in every stage', () => {
    expect(stages).to.have.length(3);
    const bases = stages.map((stage) => all(stage, 'FROM')[0]?.split(' ')[0]);
    expect(new Set(bases).size).to.equal(1);
    expect(bases[0]).to.match(/^node:(20|22|24)-bookworm-slim$/);
  });

  it('runs the command line, as a user by number who is not root', () => {
    expect(all(last, 'ENTRYPOINT')).to.deep.equal(['["node", "dist/src/main.js"]']);
    expect(all(last, 'USER')).to.have.length(1);
    expect(all(last, 'USER')[0]).to.match(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('limits the young generation as the bench of many streams does', () => {
    expect(all(last, 'ENV')).to.include(`NODE_OPTIONS=${IMAGE_OPTIONS}`);
    expect(readText('docs/deployment.md')).to.contain(`NODE_OPTIONS=${IMAGE_OPTIONS}`);
  });

  it('has no npm, and no package that is for development', () => {
    expect(all(last, 'RUN').join()).to.match(/^rm -rf /);
    expect(all(last, 'RUN').join()).to.contain('/usr/local/lib/node_modules').and.contain('/usr/local/bin/npm');
    const [, dependencies = []] = stages;
    expect(all(dependencies, 'RUN')).to.deep.equal(['npm ci --omit=dev --ignore-scripts']);
  });

  it('has a data folder that its user alone may write to, where the documents say', () => {
    const [uid, gid] = all(last, 'USER')[0]?.split(':') ?? [];
    const [, folder = ''] = /`DATA_DIR=(\S+)` instead of `REDIS_URL`/.exec(readText('docs/deployment.md')) ?? [];
    expect(folder).to.match(/^\//);
    expect(all(last, 'RUN')).to.include(`install -d -m 0700 -o ${uid} -g ${gid} ${folder}`);
  });

  it('holds all code that the command line can reach', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const next of importsOf(path).files) visit(next);
    };
    visit('src/main.ts');
    expect(reached.size).to.be.greaterThan(50);
    expect([...reached].map((path) => `dist/${path}`).filter((path) => !holds(path))).to.deep.equal([]);
  });

  it('holds every file that the code reads beside itself', () => {
    const read = sourceFiles('src', 'gateway').flatMap((path) =>
      [...codeIn(path).matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)].map(([, target = '']) =>
        posix.join('dist', posix.dirname(path), target),
      ),
    );
    expect(read).to.include.members(['package.json', 'proto/gen/descriptors.binpb']);
    expect(read.filter((path) => !holds(path))).to.deep.equal([]);
  });

  it('is built from what .dockerignore lets in, which is all that is copied', () => {
    const [everything, ...allowed] = readText('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).to.equal('*');
    const copied = stages.flatMap((stage) => copies(stage, false).flatMap(({ sources }) => sources));
    expect(allowed.map((line) => line.slice(1)).sort()).to.deep.equal([...new Set(copied)].sort());
  });
});
