// Tests of CHANGELOG.md and of the version that the project names.

import { expect } from 'chai';
import { readText } from './markdown.js';

/** The sections of Keep a Changelog 1.1.0. */
const SECTIONS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const CHANGELOG = readText('CHANGELOG.md');
const { version, private: isPrivate } = JSON.parse(readText('package.json')) as { version: string; private?: boolean };

describe('CHANGELOG.md', () => {
  it('has the headings of Keep a Changelog', () => {
    const releases = [...CHANGELOG.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
    expect(releases.length).to.be.above(0);
    const wrong = releases.filter(
      (heading) => !/^\[(?:Unreleased|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)\]?$/.test(heading),
    );
    expect(wrong).to.deep.equal([]);
    const sections = [...CHANGELOG.matchAll(/^### (.*)$/gm)].map(([, heading = '']) => heading);
    expect(sections.filter((heading) => !SECTIONS.includes(heading))).to.deep.equal([]);
  });

  it('names the version of package.json: as a release, or as the next one', () => {
    const [, newest = ''] = CHANGELOG.split(/^## /m);
    expect(newest.includes(`The next release is ${version},`) || newest.startsWith(`[${version}]`)).to.equal(true);
    expect(readText('README.md')).to.include(`Version ${version};`);
    expect(readText('docs/deployment.md')).to.include(`latchkey-${version}.tgz`);
    const chart = readText('deploy/helm/latchkey/Chart.yaml');
    expect(chart).to.include(`\nversion: ${version}\n`).and.include(`\nappVersion: ${version}\n`);
  });
});

describe('the package', () => {
  it('may be published: it is not private, and the lock file has its version', () => {
    const lock = JSON.parse(readText('package-lock.json'));
    expect([isPrivate, lock.version, lock.packages[''].version]).to.deep.equal([undefined, version, version]);
  });
});
