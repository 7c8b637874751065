// Tests of a newcomer's first minute: `latchkey dev` is soon ready, and what it prints works as printed.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { commandHere } from '../support/command-here.js';
import { type Started, start } from '../support/processes.js';
import { cpuMsOf, cpuMsToLoad, ratioOf } from '../support/processor-time.js';
import { until } from '../support/waiting.js';

/** How long the test waits for the welcome, ms. */
const READY_MS = 30_000;
/** CPU time until `dev` is ready, in that of a process which loads gRPC's library and ends. It was 5.1 when written. */
const MOST_START_RATIO = 7;
const TRIALS = 2;
/** After each start: its times are short, and so differ more. */
const LIBRARY_TRIALS = 3;

/** What a printed line of curl or grpcurl would send. */
function parts(output: string, command: RegExp): { target: string; body: Record<string, string> } {
  const line = output.split('\n').find((each) => command.test(each)) ?? '';
  const [, body = '{}'] = /-d '([^']*)'/.exec(line) ?? [];
  const [target = ''] = /http:\S+|\d+\.\d+\.\d+\.\d+:\d+/.exec(line.replace(/-d '[^']*'/, '')) ?? [];
  return { target, body: JSON.parse(body) };
}

describe('latchkey dev', () => {
  let folder: string;
  let dev: Started;
  let client: TestClient;
  /** The processor time of each start until it was ready, and that of the library just after it, ms. */
  const [whole, library]: [number[], number[]] = [[], []];

  const begin = async (): Promise<void> => {
    // What calls itself must not go round by a proxy.
    const http_proxy = 'http://127.0.0.1:1';
    const env = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', DATA_DIR: folder, http_proxy };
    dev = await start('dev', 'gateway listening', { env, isMeasured: true });
    await until(() => dev.output().includes('describe auth.v1.AuthService'), READY_MS);
    whole.push(cpuMsOf(dev.child.pid ?? 0));
    for (let n = 0; n < LIBRARY_TRIALS; n++) library.push(await cpuMsToLoad('@grpc/grpc-js'));
    client = new TestClient(parts(dev.output(), /^grpcurl/).target);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-dev-'));
    await begin();
  });
  const end = async (): Promise<void> => {
    client.close();
    expect(await dev.stop()).to.equal(0);
  };
  after(async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('prints lines that work: validate, refresh, the same again, log out, validate', async () => {
    const output = dev.output();
    const validate = parts(output, /^grpcurl .*ValidateToken/);
    const refresh = parts(output, /^curl .*refresh/);
    const logout = parts(output, /^curl .*logout/);
    const post = async ({ target, body }: typeof refresh) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(target, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const token = validate.body['access_token'] ?? '';

    expect(await client.verdict(token)).to.equal('active');
    const first = await post(refresh);
    expect(first.status).to.equal(200);
    expect((await post(refresh)).body['refresh']).to.equal(first.body['refresh']);
    expect(await post(logout)).to.deep.equal({ status: 200, body: {} });
    expect(await client.verdict(token)).to.equal('REVOKED');
    expect((await post(refresh)).body).to.deep.equal({ detail: 'Token is blacklisted', code: 'token_not_valid' });
  });

  it('keeps what it made for its owner alone, and keeps sessions over a restart', async () => {
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder, 'issuer-token')).mode & 0o777).to.equal(0o600);
    const { access_token } = await issue();
    await end();
    await begin();
    expect(await client.verdict(access_token)).to.equal('active');
  });

  const env = () => ({ AUTH_SERVICE_ADDRESS: parts(dev.output(), /^grpcurl/).target, DATA_DIR: folder });
  const issue = async (): Promise<{ access_token: string; refresh_token: string }> =>
    JSON.parse(
      (await commandHere(['token', 'issue', '--subject', 'bob', '--claims', '{"role":"admin"}'], env())).stdout,
    );

  it('lets `token issue` and `token inspect` be used at once', async () => {
    const { access_token, refresh_token } = await issue();
    const inspect = async (token: string, input = '') =>
      JSON.parse((await commandHere(['token', 'inspect', token], env(), input)).stdout);
    const shown = await inspect(access_token);
    expect(shown.claims).to.include({ sub: 'bob', role: 'admin', token_type: 'access' });
    expect(shown.verdict).to.equal('active');
    expect(shown.session_start).to.match(/^\d{4}-.*Z$/);
    expect((await inspect('-', `${refresh_token}\n`)).verdict).to.equal('active');
    await client.logout({ refreshToken: refresh_token });
    expect((await inspect(access_token)).verdict).to.equal('not active: TOKEN_PROBLEM_REVOKED');
    const away = { ...env(), AUTH_SERVICE_ADDRESS: '127.0.0.1:1' };
    expect(JSON.parse((await commandHere(['token', 'inspect', access_token], away)).stdout).verdict).to.include(
      'cannot tell',
    );
  });

  it('says what is wrong with a token or claims that cannot be read', async () => {
    expect(await commandHere(['token', 'inspect', 'nonsense'])).to.include({ code: 2 });
    const { code, stderr } = await commandHere(['token', 'issue', '--subject', 'x', '--claims', '[1]']);
    expect(code).to.equal(2);
    expect(stderr).to.include('--claims').and.not.include('    at ');
    for (const claims of ['{"id":175928847299117063}', '{"id":1,"id":2}', '{"a":{"__proto__":1}}']) {
      const { code: refused, stderr: why } = await commandHere([
        ...['token', 'issue', '--subject', 'x', '--claims', claims],
      ]);
      expect([refused, why.includes('at character')], claims).to.deep.equal([2, true]);
    }
  });

  // The last one: it measures the starts that those before it have made, too.
  it('needs little more processor time to be ready than its libraries do', async () => {
    while (whole.length < TRIALS) {
      await end();
      await begin();
    }
    expect(ratioOf(whole, library)).to.be.below(MOST_START_RATIO);
  });
});
