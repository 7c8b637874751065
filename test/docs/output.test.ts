// Tests that no code prints past the log, and that no test starts a process without a check of its output.

import { expect } from 'chai';
import { codeIn, sourceFiles } from './imports.js';
import { readText } from './markdown.js';

/** The files that may write to a stream of the process, or take its place. */
const WRITERS: readonly string[] = [
  // Before everything else is loaded, by an old Node.
  'src/commands/node-version.ts',
  ...['src/commands/print.ts', 'src/platform/log-destination.ts', 'src/platform/output/foreign-output.ts'],
];
const PRINTS = /\bprocess\.(?:stdout|stderr|_rawDebug)\b|\bconsole\b|\bwriteSync\((?:1|2)\b|\bpino\.destination\(/;

/** The tests that start other programs than `latchkey`, and which. All others use test/support/processes.ts. */
const STARTERS: Readonly<Record<string, string>> = {
  'test/adapters/jwt/key-files.test.ts': 'mkfifo, and a script that writes keys',
  'test/adapters/lmdb/processes.test.ts': 'child.ts, a store by itself',
  'test/adapters/lmdb/read-turn.test.ts': 'child.ts, a store by itself',
  'test/adapters/redis/closing.test.ts': 'open-and-close.ts, a store by itself',
  'test/alerts/alerts.check.ts': 'promtool',
  'test/alerts/prometheus.ts': 'prometheus, promtool',
  'test/bench/feed.test.ts': 'the bench of the feed',
  'test/bench/speed.test.ts': 'the bench',
  'test/browser/package.test.ts': 'tsc',
  'test/browser/chromium.ts': 'chromium, found by sh',
  'test/browser/demo.check.ts': 'demo.ts, which starts the program as processes.ts does',
  'test/chaos/validator-process.ts': 'validator-child.ts, a validator by itself',
  'test/clients/workplace.ts': 'the tools of other languages, and the clients that they build',
  'test/commands/command-line.test.ts': 'mount',
  'test/commands/lean.test.ts': 'a script that loads a package',
  'test/commands/node-version.test.ts': 'latchkey by an old Node, which has no log yet',
  'test/docs/compose-run.test.ts': 'docker',
  'test/doors/proxy.ts': 'nginx, caddy, traefik, envoy, haproxy',
  'test/deploy/chart.ts': 'helm, kubernetes-validate',
  'test/deploy/systemd.check.ts': 'systemd-analyze',
  'test/docs/output.test.ts': 'nothing',
  'test/docs/packed.test.ts': 'npm',
  'test/platform/env/secret-files.test.ts': 'mkfifo',
  'test/examples/django-packages.ts': 'python3, pip',
  'test/examples/django.check.ts': 'Django',
  'test/examples/feed-client.ts': 'python, with a client of the feed',
  'test/faults/small-disk.ts': 'mount, prlimit',
  'test/validator/closing.test.ts': 'open-and-close.ts, a validator by itself',
  'test/gateway/stop.test.ts': 'a script with a gateway in it',
  'test/integrations/authjs.test.ts': 'tsc',
  'test/platform/log.test.ts': 'scripts with a logger in them',
  'test/platform/tracing.test.ts': 'a script that loads the tracing',
  'test/middleware/closure.test.ts': 'a script that loads a middleware',
  'test/openapi/openapi.check.ts': 'a linter, schemathesis',
  'test/package/fresh-checkout.ts': 'npm, tar',
  'test/package/shop.ts': 'the programs of docs/validator.md',
  'test/package/started-by-npm.ts': 'npm, npx',
  'test/package/walk.ts': 'nothing itself: the text of a program',
  'test/support/children.test.ts': 'sleep',
  'test/support/processes.ts': 'latchkey itself, watched',
  'test/support/processor-time.ts': 'scripts that load modules',
  'test/support/redis-server.ts': 'redis-server',
  'test/validator/closure.test.ts': 'a script that imports latchkey/validator',
  'test/docs/workshop.test.ts': 'node alone, with the options of the suite',
  'test/workers/pool.test.ts': 'program.ts, a pool by itself',
};
const STARTS = /^import (?!type )[^;]*from 'node:child_process'|import\('node:child_process'\)/m;
/** The entry of the program. */
const ENTRY = /src\/main\.js/;

describe('what is printed', () => {
  it('is printed by few files of the program, and by no other', () => {
    const found = sourceFiles('src', 'gateway').filter((path) => PRINTS.test(codeIn(path)));
    expect(found).to.deep.equal([...WRITERS]);
  });

  it('by a process that a test starts is checked: one module of the tests starts the program', () => {
    const tests = sourceFiles('test').filter((path) => !path.startsWith('test/docs/output'));
    expect(tests.filter((path) => STARTS.test(codeIn(path)) && STARTERS[path] === undefined)).to.deep.equal([]);
    const withEntry = tests.filter((path) => STARTS.test(codeIn(path)) && ENTRY.test(codeIn(path)));
    expect(withEntry.filter((path) => !/commands\/(?:lean|node-version)|package\.check/.test(path))).to.deep.equal([
      'test/support/processes.ts',
    ]);
  });

  it('is checked after each test, of the whole run', () => {
    expect(codeIn('test/support/processes.ts')).to.match(/watchOutput\(\{/);
    const hooks = codeIn('test/support/root-hooks.ts');
    expect(hooks)
      .to.match(/afterEach\(.*\{\n\s+checkOutputs\(/)
      .and.to.match(/afterAll\([^}]*expectNoForeignLines\(/);
    const lists = ['test/fast.json', 'test/unit.json', 'test/soak.json'].map((path) => JSON.parse(readText(path)));
    for (const { require } of [JSON.parse(readText('package.json')).mocha, ...lists]) {
      expect(require).to.deep.equal(['./dist/test/support/root-hooks.js']);
    }
  });
});
