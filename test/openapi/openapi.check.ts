// Checks of the OpenAPI document by a linter and by schemathesis. `npm run test:openapi` runs them.
// schemathesis makes requests from it for a real gateway before a real service.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, runCommand, type Started, startGateway, startServe } from '../support/processes.js';

const CLIENT = 'st:a secret of the client, for tests alone';
/** Another client, with the same secret. schemathesis reads responses to their end, and a stream has none. */
const WATCHER = 'watcher';
const REVOKER_TOKEN = 'a credential for RevokeSubject, for tests alone';
const JWT_ISSUER = 'https://login.example.com';
const SCHEMATHESIS = join(ROOT, 'node_modules/.cache/schemathesis/schemathesis==4.32.5/bin/schemathesis');
const RUN_MS = 120_000;
const run = promisify(execFile);

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { properties: Record<string, object> }>> };
}

/** A request and its response, by the report of schemathesis in the format HAR. */
interface Entry {
  readonly request: { readonly method: string; readonly url: string };
  readonly response: { readonly status: number };
}

/** Headers of a body in another media type, of an unknown expectation, and too many. */
const ODD_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'content-type': 'application/xml', 'content-length': '4' },
  { expect: 'an answer' },
  Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x-${n}`, ''])),
];

/** The status of the answer to a request, with a body where the headers have a length. */
async function statusOf(url: string, method: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const sent = request(url, { method, headers, agent: false });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end('content-length' in headers ? '<a/>' : undefined);
  const [response] = await answered;
  response.resume();
  return response.statusCode ?? 0;
}

/** The status of a response that goes on, which is not read. */
async function statusOfStream(url: string): Promise<number> {
  const reading = new AbortController();
  const authorization = `Basic ${btoa(CLIENT.replace(/^[^:]*/, WATCHER))}`;
  const { status } = await fetch(url, { headers: { authorization }, signal: reading.signal });
  reading.abort();
  return status;
}

describe('the OpenAPI document', function () {
  this.timeout(RUN_MS);
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-openapi-'));
  let service: Started;
  let gateway: Started;
  let client: TestClient;
  let url: string;
  /** Each response so far: `POST /path 200`. */
  const seen = new Set<string>();

  before(async () => {
    const keys = { JWT_KEYS_DIR: join(folder, 'keys') };
    await runCommand(['keys', 'generate'], keys);
    const shared = { REVOKER_TOKEN, JWT_ISSUER };
    service = await startServe({ env: { DATA_DIR: join(folder, 'data'), ...keys, ...shared } });
    client = new TestClient(service.address);
    const [id, secret = ''] = CLIENT.split(':');
    const entry = { id, secret_sha256: [createHash('sha256').update(secret).digest('hex')] };
    const clients = [
      { ...entry, rights: ['introspect', 'global_revocation'] },
      { ...entry, id: WATCHER, rights: ['watch'] },
    ];
    const OAUTH_CLIENTS = join(folder, 'clients.json');
    writeFileSync(OAUTH_CLIENTS, JSON.stringify({ clients }));
    gateway = await startGateway(service.address, { env: { ...shared, OAUTH_CLIENTS, REFRESH_COOKIE: 'true' } });
    url = `http://${gateway.address}`;
  });
  after(async () => {
    client.close();
    for (const process of [gateway, service]) await process.stop();
    rmSync(folder, { recursive: true });
  });

  const served = async (): Promise<Document> => (await fetch(`${url}/openapi.json`)).json() as Promise<Document>;

  /** Calls the gateway as a document says. @throws Error with what it found, if there is a failure */
  async function call(document: unknown, ...args: readonly string[]): Promise<void> {
    // A folder of its own: schemathesis keeps what it has learnt in it.
    const cwd = mkdtempSync(join(folder, 'run-'));
    const [schema, report] = [join(cwd, 'openapi.json'), join(cwd, 'report.har')];
    writeFileSync(schema, JSON.stringify(document));
    const config = ['--config-file', join(ROOT, 'test/openapi/schemathesis.toml')];
    const quiet = [
      '--no-color',
      '--suppress-health-check',
      'all',
      '--report-har-path',
      report,
      '--output-truncate',
      'true',
    ];
    try {
      await run(SCHEMATHESIS, [...config, 'run', schema, '--url', url, '--seed', '1', ...quiet, ...args], {
        cwd,
        maxBuffer: 64 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${stdout}\n${stderr}`.replace(/^(.{400}).*$/gm, '$1…'));
    }
    const { log } = JSON.parse(readFileSync(report, 'utf8')) as { log: { entries: readonly Entry[] } };
    for (const { request: sent, response } of log.entries) {
      seen.add(`${sent.method} ${new URL(sent.url).pathname} ${response.status}`);
    }
  }

  /** The document with tokens of new sessions as examples. */
  async function withTokens(document: Document): Promise<Document> {
    const [toRefresh, toEnd, toAsk] = [await issue(), await issue(), await issue()];
    const copy = structuredClone(document);
    const { schemas } = copy.components;
    const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      Refresh: { refresh: toRefresh.refreshToken },
      Logout: { refresh: toEnd.refreshToken, all_sessions: false },
      Token: { token: toAsk.accessToken },
      SubjectIdentifier: { sub_id: { format: 'opaque', id: 'bob' } },
    };
    for (const [name, example] of Object.entries(examples)) Object.assign(schemas[name] ?? {}, { examples: [example] });
    return copy;
  }

  const issue = () => client.issue('alice', {}, ISSUER_TOKEN);

  it('passes the linter, as it is in docs/', async () => {
    const redocly = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    await run(process.execPath, [redocly, 'lint', join(ROOT, 'docs/openapi.json')], { env, cwd: folder });
  });

  it('has every answer of the gateway to requests that keep it and that break it', async () => {
    await call(await served(), '--phases', 'examples,coverage,fuzzing', '--max-examples', '25');
  });

  it('has the answers to requests that no generator makes', async () => {
    const statuses = new Set<number>();
    const undocumented: string[] = [];
    for (const [path, operations] of Object.entries((await served()).paths)) {
      for (const [method, { responses }] of Object.entries(operations)) {
        for (const headers of ODD_HEADERS) {
          const status = await statusOf(`${url}${path}`, method.toUpperCase(), headers);
          statuses.add(status);
          if (!(status in responses)) undocumented.push(`${method} ${path} ${status}`);
        }
      }
    }
    expect(undocumented).to.deep.equal([]);
    expect([...statuses]).to.include.members([415, 417, 431]);
  });

  it('has every answer to requests with good tokens and credentials, and those get each success', async () => {
    const document = await withTokens(await served());
    const phases = ['--phases', 'examples,coverage'];
    const page = ['-H', 'Sec-Fetch-Site: same-origin'];
    await call(document, ...phases, ...page, '--exclude-tag', 'OAuth', '--exclude-tag', 'Proxies');
    // A subject of its own: the requests before have ended all sessions of alice.
    const { accessToken } = await client.issue('carol', {}, ISSUER_TOKEN);
    await call(document, ...phases, '-H', `Authorization: Bearer ${accessToken}`, '--include-tag', 'Proxies');
    await call(document, ...phases, '--auth', CLIENT, '--include-tag', 'OAuth');
    seen.add(`GET /api/auth/revocations ${await statusOfStream(`${url}/api/auth/revocations`)}`);
    const successes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).flatMap((status) =>
          status.startsWith('2') ? [`${method.toUpperCase()} ${path} ${status}`] : [],
        ),
      ),
    );
    expect(successes.filter((success) => !seen.has(success))).to.deep.equal([]);
    expect([...seen].filter((response) => / 500$/.test(response))).to.deep.equal([]);
  });
});
