// Limits on words that hide what the code does: telling, hearing and standing processes, vague persons, "Owns" first lines.

import { expect } from 'chai';
import { commentsIn, filesBelow } from './imports.js';
import { DOCUMENTS, readText } from './markdown.js';

/**
 * Words that treat a process as a person, or a reader as one who must guess who is meant. "Cannot tell" is the name of
 * an answer.
 */
const WORDS =
  /\b(?:(?<!\b(?:cannot|could not) )tells?|told|nobody|somebody|anybody|hears?|heard|stands?|stood|whoever|so many|so long)\b|^(?:\/\/|#) Owns\b/gim;

/** The most of these words in an area. Lower a limit when its area has fewer; never raise one. */
const LIMITS: Readonly<Record<string, number>> = {
  gateway: 0,
  'src/bearer': 0,
  'src/browser': 0,
  'src/commands': 1,
  'src/grpc': 0,
  'src/middleware': 0,
  'src/platform': 0,
  'src/settings': 0,
  'src/store-check': 0,
  'src/validator': 0,
  'src/workers': 0,
  'src/service': 0,
  'src/main.ts': 0,
  'src/adapters/jwt': 0,
  'src/adapters/lmdb': 0,
  'src/adapters/lru': 0,
  'src/adapters/observed': 0,
  'src/adapters/redis': 0,
  'src/collections': 0,
  'src/core': 0,
  'proto/auth': 0,
  bench: 1,
  // Names of users, texts of errors, and the pattern above.
  test: 24,
};

/** The string after `it(` or `describe(`. */
const TITLES = /\b(?:it|describe)(?:\.\w+)?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;

const filesOf = (area: string): string[] =>
  area.endsWith('.ts') ? [area] : [...filesBelow([area], '.ts'), ...filesBelow([area], '.proto')];

const found = (paths: readonly string[], textOf: (path: string) => string): string[] =>
  paths.flatMap((path) => [...textOf(path).matchAll(WORDS)].map(([word]) => `${path}: ${word}`));

describe('the words of', () => {
  for (const [area, most] of Object.entries(LIMITS)) {
    it(`${area} have at most ${most} that hide what happens`, () => {
      const words = found(filesOf(area), readText);
      expect(words.length, words.join('\n')).to.be.at.most(most);
    });
  }

  it('every area of src, gateway and proto/auth have a limit', () => {
    const paths = [...filesBelow(['src', 'gateway', 'proto/auth'], '.ts'), ...filesBelow(['proto/auth'], '.proto')];
    const free = paths.filter((path) => !Object.keys(LIMITS).some((area) => path.startsWith(area)));
    expect(free).to.deep.equal([]);
  });

  it('documents have none that hide what happens', () => {
    expect(found(DOCUMENTS, readText)).to.deep.equal([]);
  });

  it('comments of tests have none that hide what happens', () => {
    expect(found(filesBelow(['test'], '.ts'), commentsIn)).to.deep.equal([]);
  });

  it('titles of tests have none that hide what happens', () => {
    const titles = filesBelow(['test'], '.ts').flatMap((path) => [...readText(path).matchAll(TITLES)]);
    expect(titles.map(([, , title = '']) => title).filter((title) => title.search(WORDS) >= 0)).to.deep.equal([]);
  });

  it('first lines are whole sentences', () => {
    const cut = filesBelow(['src', 'gateway', 'test', 'bench'], '.ts').filter(
      (path) => !/^(?:#!.*\n)?\/\/ .*[.:]\n/.test(readText(path)),
    );
    expect(cut).to.deep.equal([]);
  });

  it('first lines of tests and benches say what the file is, and not what it owns', () => {
    const owning = filesBelow(['test', 'bench'], '.ts').filter((path) => /^\/\/ Owns\b/.test(readText(path)));
    expect(owning).to.deep.equal([]);
  });
});
