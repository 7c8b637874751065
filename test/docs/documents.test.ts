// Tests of the documents themselves: links lead somewhere, named tests are there, prose is wrapped, entries are read.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { keyNames } from '../../src/adapters/redis/keys.js';
import { parseBirth, parseNotBefore, parseSession } from '../../src/core/session/entries.js';
import { makeSessionId } from '../../src/core/token/session-id.js';
import { codeOf, DOCUMENTS, ROOT, readText, tableBelow } from './markdown.js';

/** A heading's name in links, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const SCRIPTS = Object.keys(JSON.parse(readText('package.json')).scripts);

describe('the documents', () => {
  for (const document of DOCUMENTS) {
    it(`${document} links to files and headings that are there`, () => {
      const text = readText(document).replace(/^```.*?^```$/gms, '');
      const links = [...text.matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]+))?\)/g)];
      const broken = links.filter(([, path = '', anchor]) => {
        const target = path === '' ? document : join(dirname(document), path);
        if (!existsSync(join(ROOT, target))) return true;
        if (anchor === undefined) return false;
        return ![...readText(target).matchAll(/^#+ (.*)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor);
      });
      expect(broken.map(([link]) => link)).to.deep.equal([]);
    });

    it(`${document} defines every link that it uses, and uses every one that it defines`, () => {
      const text = readText(document);
      const used = new Set([...text.matchAll(/\]\[([\w-]+)\]/g)].map(([, name]) => name));
      const defined = new Set([...text.matchAll(/^\[([\w-]+)\]: https:\/\/\S+$/gm)].map(([, name]) => name));
      expect([...used].sort()).to.deep.equal([...defined].sort());
    });

    it(`${document} names only files of the project that are there`, () => {
      // A path with a colon and a code block below it is a file that the reader writes.
      const named = [
        ...readText(document).matchAll(/`((?:src|gateway|test|proto|docs|bench|\.ci)\/[\w./-]+)`(?!:\n\n```)/g),
      ];
      expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))).to.deep.equal([]);
    });

    it(`${document} names only npm scripts that are there`, () => {
      const named = [...readText(document).matchAll(/\bnpm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name);
      expect(named.filter((name) => !SCRIPTS.includes(name))).to.deep.equal([]);
    });

    it(`${document} wraps its prose at 100 columns`, () => {
      const prose = readText(document)
        .replace(/^```.*?^```$|^<!-- figures -->.*?^<!-- end of figures -->$/gms, '')
        .split('\n')
        .filter((line) => !/^(?:\||!?\[|#)/.test(line));
      expect(prose.filter((line) => line.length > 100)).to.deep.equal([]);
    });
  }

  it('docs/README.md has every page of docs', () => {
    const text = readText('docs/README.md');
    const pages = DOCUMENTS.filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
    expect(pages.filter((path) => !text.includes(`](${path.slice('docs/'.length)})`))).to.deep.equal([]);
  });

  it('CONTRIBUTING.md names every npm script but those that npm itself runs', () => {
    const text = readText('CONTRIBUTING.md');
    const called = SCRIPTS.filter((name) => !/^pre(?:pack|publishOnly)$/.test(name));
    expect(called.filter((name) => !new RegExp(`npm (?:run )?${name}\\b`).test(text))).to.deep.equal([]);
  });

  it('README.md is short, and leads to every document', () => {
    const text = readText('README.md');
    expect(text.split('\n').length).to.be.at.most(150);
    const missing = DOCUMENTS.filter((path) => path !== 'README.md' && !text.includes(`](${path})`));
    expect(missing).to.deep.equal([]);
  });

  it('docs/upgrades.md names a test for each interface, and each is there', () => {
    const text = readText('docs/upgrades.md').replace(/\s+/g, ' ');
    const pins = [...text.matchAll(/Test: `([^`]+)`: "([^"]+)"/g)];
    expect(pins.length).to.be.above(20);
    const missing = pins.filter(([, path = '', title = '']) => {
      return !existsSync(join(ROOT, path)) || !readText(path).replaceAll("\\'", "'").includes(title);
    });
    expect(missing.map(([pin]) => pin)).to.deep.equal([]);
  });

  it('SECURITY.md names a test for each threat, and each is there', () => {
    const rows = tableBelow(readText('SECURITY.md'), '## Threats');
    const missing = rows.filter(([, , , test = '']) => {
      const [, path = '', title = ''] = /^`(test\/[^`]+\.test\.ts)`: "(.+)"$/.exec(test) ?? [];
      return title === '' || !existsSync(join(ROOT, path)) || !readText(path).replaceAll("\\'", "'").includes(title);
    });
    expect(missing.map((row) => row.at(-1))).to.deep.equal([]);
  });

  it('SECURITY.md says of each threat whose it is, what is tried and what stops it', () => {
    const rows = tableBelow(readText('SECURITY.md'), '## Threats');
    expect(rows.length).to.be.above(40);
    for (const row of rows) expect(row.map((cell) => cell.length > 3)).to.deep.equal([true, true, true, true]);
  });

  it('docs/architecture.md shows entries as the code reads them', () => {
    const rows = tableBelow(readText('docs/architecture.md'), '### Entries');
    const [live, ended, subject, shard] = rows.map(([, text]) => codeOf(text));
    expect(parseSession(live)).to.include({ state: 'live', generation: 1, issuedAt: 1795354957 });
    expect(parseSession(ended)).to.include({ state: 'ended', cause: 'logout' });
    expect(parseNotBefore(subject)).to.deep.equal({ atMs: 1795354958210 });
    expect(parseBirth(shard)).to.deep.equal({
      atMs: 1795354952551,
      adoptedSinceMs: undefined,
      writes: 17,
      isLogged: true,
    });
    expect(rows).to.have.length(4);
  });

  it('docs/architecture.md names keys as the code does', () => {
    const sessionId = makeSessionId(0, new Uint8Array(10));
    const names = keyNames([
      { kind: 'session', subject: 'alice', sessionId },
      { kind: 'not-before', subject: 'alice' },
      { kind: 'birth', shard: 0 },
    ]);
    const text = readText('docs/architecture.md');
    const shapes = names.map((name) =>
      name
        .replace(/\{\w+\}/, '{<tag>}')
        .replace(sessionId, '<sid>')
        .replace(/[0-9a-f]{32}$/, '<hash>'),
    );
    for (const shape of shapes) expect(text).to.contain(`\`${shape}\``);
  });
});
