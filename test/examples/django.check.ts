// Checks of examples/python/latchkey_auth.py: in a real Django, set up as docs/integrations.md says, with a real service.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { codeOnPage } from '../integrations/page.js';
import { JWT_SECRET } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { pythonFolder } from './django-packages.js';

const NOT_VALID = { detail: 'Given token not valid for any token type', code: 'token_not_valid' };
/** How long an answer may take that waits for a service which hangs: a second, on a machine that is busy. */
const HANGS_MS = 4_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

describe('a Django that authenticates as docs/integrations.md says', function () {
  this.timeout(180_000);
  const stage = new Stage();
  let store: string;
  let node: ServiceNode;
  let url: string;

  const ask = async (path: string, authorization?: string): Promise<Answer> => {
    const init = authorization === undefined ? {} : { headers: { authorization } };
    const response = await fetch(`${url}/${path}`, init);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
  };
  const bearer = (token: string): string => `Bearer ${token}`;

  before(async function () {
    const python = pythonFolder();
    if ('missing' in python) {
      process.stdout.write(`    not run: ${python.missing}\n`);
      return this.skip();
    }
    store = await stage.folder();
    node = await stage.serve(store);
    const site = await stage.folder();
    copyFileSync(join(ROOT, 'examples/python/latchkey_auth.py'), join(site, 'latchkey_auth.py'));
    writeFileSync(join(site, 'page_settings.py'), codeOnPage('python'));
    copyFileSync(join(ROOT, 'test/examples/django_site.py'), join(site, 'site_of_tests.py'));
    symlinkSync(join(python.folder, 'auth'), join(site, 'auth'));
    const child = spawn(join(python.folder, 'venv/bin/python'), ['-m', 'site_of_tests'], {
      cwd: site,
      env: { PATH: process.env['PATH'], LATCHKEY_ADDRESS: node.process.address, JWT_SECRET },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: its second process ends with it.
      detached: true,
    });
    stage.owns(() => endGroup(child));
    url = `http://127.0.0.1:${await portOf(child)}`;
  });
  after(() => stage.clear());

  it('lets a user with an active token in, at each of its forked processes', async () => {
    const { accessToken } = await node.client.issue('1', { role: 'editor' });
    const workers = new Set<unknown>();
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask('asks', bearer(accessToken))));
      for (const { status, body } of answers) {
        expect([status, body['user'], body['role']]).to.deep.equal([200, 'alice', 'editor']);
        workers.add(body['worker']);
      }
      return workers.size === 2;
    }, 20_000);
  });

  it('refuses the token at once after a logout, where a check of the signature alone still takes it', async () => {
    const { accessToken, refreshToken } = await node.client.issue('1');
    for (const path of ['asks', 'verifies']) expect((await ask(path, bearer(accessToken))).status, path).to.equal(200);
    await node.client.logout({ refreshToken });
    const refused = await ask('asks', bearer(accessToken));
    expect([refused.status, refused.body]).to.deep.equal([401, NOT_VALID]);
    expect((await ask('verifies', bearer(accessToken))).status).to.equal(200);
  });

  it('answers 401, with how to authenticate, to every token that is not good', async () => {
    const { accessToken, refreshToken } = await node.client.issue('1');
    for (const authorization of [
      bearer(refreshToken),
      bearer(`${accessToken}x`),
      bearer('garbage'),
      bearer('x'.repeat(9_000)),
      bearer('\xe9'),
      bearer(`${accessToken} ${accessToken}`),
      'Bearer',
    ]) {
      const { status, headers, body } = await ask('asks', authorization);
      expect([status, body], authorization.slice(0, 40)).to.deep.equal([401, NOT_VALID]);
      expect(headers.get('www-authenticate')).to.equal('Bearer realm="api"');
    }
    for (const authorization of [undefined, 'Basic YTpi']) {
      const { status, headers } = await ask('asks', authorization);
      expect([status, headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer realm="api"']);
    }
    expect((await ask('asks', `bEARER ${accessToken}`)).status).to.equal(200);
  });

  it('answers 401 for a user that is not there, or not active', async () => {
    for (const [subject, detail] of [
      ['3', 'User not found'],
      ['no number', 'User not found'],
      ['2', 'User is inactive'],
    ] as const) {
      const { accessToken } = await node.client.issue(subject);
      const { status, body } = await ask('asks', bearer(accessToken));
      expect([status, body]).to.deep.equal([401, { detail, code: 'token_not_valid' }]);
    }
  });

  it('answers 503 while the service hangs or is gone, and goes on once it is back', async () => {
    const { accessToken } = await node.client.issue('1');
    const expectUnavailable = async (): Promise<void> => {
      const startMs = performance.now();
      const { status, headers, body } = await ask('asks', bearer(accessToken));
      expect([status, headers.get('retry-after'), body['code']]).to.deep.equal([503, '1', 'service_unavailable']);
      expect(performance.now() - startMs).to.be.below(HANGS_MS);
    };
    const serves = async (): Promise<boolean> => (await ask('asks', bearer(accessToken))).status === 200;
    node.process.child.kill('SIGSTOP');
    await expectUnavailable();
    node.process.child.kill('SIGCONT');
    await until(serves, 30_000);
    await node.process.kill();
    await expectUnavailable();
    await stage.serve(store, { GRPC_ADDRESS: node.process.address });
    await until(serves, 30_000);
  });
});

/** The port that the site prints once it serves. */
async function portOf(child: ChildProcess): Promise<number> {
  let [printed, errors] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  await until(() => printed.includes('\n') || child.exitCode !== null, 60_000);
  if (child.exitCode !== null) throw new Error(`the site ended with ${child.exitCode}:\n${errors}`);
  return Number(printed);
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const closed = once(child, 'close');
  process.kill(-child.pid, 'SIGKILL');
  await closed;
}
