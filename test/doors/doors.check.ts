// Real proxies by the recipes of docs/proxies: what a client and the upstream see in each case.
// Before a real upstream, a real service and a real Redis. Run by `npm run test:doors`, which writes the table of
// docs/proxies.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseAddress } from '../../src/platform/env/values.js';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, type Started, startGateway, startServe } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { KINDS, type ProxyName, RunningProxy } from './proxy.js';
import { type RawAnswer, rawRequest } from './raw-request.js';
import { Upstream } from './upstream.js';

const PAGE = fileURLToPath(new URL('../../../docs/proxies.md', import.meta.url));
const NAMES = Object.keys(KINDS) as ProxyName[];
const SPOOFED = [
  ...['X-Latchkey-Subject: mallory', 'X-Latchkey-Session: mallory', 'x-latchkey-subject: mallory'],
  ...[
    'X_Latchkey_Subject: mallory',
    'X-Latchkey_Subject: mallory',
    'X_LATCHKEY_EXPIRES: mallory',
    'X.Latchkey.Subject: mallory',
    'X~Latchkey!Subject: mallory',
  ],
];

describe('doors: real proxies', () => {
  const rows = new Map<string, string[]>();
  const proxies = new Map<ProxyName, RunningProxy>();
  let redis: RedisServer;
  let service: Started;
  let gateway: Started;
  let upstream: Upstream;
  let client: TestClient;
  let requests = 0;
  /** A token that has expired. */
  let expired: string;

  const portOf = (address: string): number => parseAddress(address)?.port ?? 0;
  const bearer = (token: string): string => `Authorization: Bearer ${token}`;

  /** Sends a request through a proxy. @returns what the client and the upstream have seen */
  async function through(name: ProxyName, lines: readonly string[]) {
    const path = `/orders/${requests++}?aud=client`;
    const answer = await rawRequest(proxies.get(name)?.port ?? 0, path, lines);
    return { answer, head: upstream.head(path) };
  }

  /** Sends a request that must not pass, and records what the client got. */
  async function refused(what: string, name: ProxyName, lines: readonly string[]): Promise<RawAnswer> {
    const { answer, head } = await through(name, lines);
    record(what, `${answer.status}`);
    expect(head, 'the upstream got the request').to.equal(undefined);
    return answer;
  }

  const record = (what: string, cell: string): void => void rows.set(what, [...(rows.get(what) ?? []), cell]);

  before(async function () {
    this.timeout(120_000);
    redis = await RedisServer.start('--maxmemory-policy', 'noeviction', '--appendonly', 'yes');
    const env = { REDIS_URL: redis.url, JWT_SECRET, EXT_AUTHZ: 'true' };
    service = await startServe({ env });
    expired = await issueExpired(env);
    gateway = await startGateway(service.address, { env: { TRUST_PROXY: '127.0.0.1' } });
    upstream = await Upstream.start();
    client = new TestClient(service.address);
    const ports = { service: portOf(service.address), gateway: portOf(gateway.address), upstream: upstream.port };
    for (const name of NAMES) proxies.set(name, await RunningProxy.start(name, ports));
  });

  after(async function () {
    this.timeout(60_000);
    for (const proxy of proxies.values()) await proxy.stop();
    client?.close();
    await upstream?.stop();
    await gateway?.stop();
    await service?.stop();
    await redis?.stop();
  });

  describe('without a token', () => {
    for (const name of NAMES) {
      it(`${name}: 401 with a challenge`, async () => {
        const answer = await refused('no token', name, []);
        expect(answer.status).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="api"');
      });
    }
  });

  describe('with a good token', () => {
    for (const name of NAMES) {
      it(`${name}: the upstream gets the identity, and none that the client sends`, async () => {
        const { accessToken, sessionId } = await client.issue('al%ice é');
        const { answer, head = [] } = await through(name, [bearer(accessToken), ...SPOOFED]);
        record('a good token', `${answer.status}`);
        expect(answer.status).to.equal(200);
        const ours = pairsOf(head).filter(([header]) =>
          header
            .toLowerCase()
            .replace(/[^a-z]/g, '-')
            .startsWith('x-latchkey-'),
        );
        const passed = name === 'Caddy' ? ours.filter(([header]) => !/[~!]/.test(header)) : ours;
        expect(passed.map(([header]) => header.toLowerCase()).sort()).to.deep.equal([
          ...['x-latchkey-expires', 'x-latchkey-session', 'x-latchkey-subject'],
        ]);
        const values = new Map(ours.map(([header, value]) => [header.toLowerCase(), value]));
        expect(values.get('x-latchkey-subject')).to.equal('al%25ice%20%C3%A9');
        expect(values.get('x-latchkey-session')).to.equal(sessionId);
      });
    }
  });

  describe('with a token of a session that was logged out a moment ago', () => {
    for (const name of NAMES) {
      it(`${name}: 401`, async () => {
        const { accessToken } = await client.issue('alice');
        expect((await through(name, [bearer(accessToken)])).answer.status).to.equal(200);
        await client.logout({ accessToken });
        const answer = await refused('logged out a moment ago', name, [bearer(accessToken)]);
        expect(answer.status).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.include('REVOKED');
      });
    }
  });

  describe('with a token that is bad from the start', () => {
    it('expired: 401', async () => {
      for (const name of NAMES) {
        const answer = await refused('expired', name, [bearer(expired)]);
        expect(answer.status, name).to.equal(401);
      }
    });

    it('forged: 401', async () => {
      const { accessToken } = await client.issue('alice');
      const forged = `${accessToken.slice(0, -4)}AAAA`;
      for (const name of NAMES) expect((await refused('forged', name, [bearer(forged)])).status, name).to.equal(401);
    });

    it('two Authorization lines: 401, or 400 by the proxy itself', async () => {
      for (const name of NAMES) {
        const { accessToken } = await client.issue('alice');
        const answer = await refused('two `Authorization` lines', name, [bearer(accessToken), bearer(accessToken)]);
        expect([400, 401], name).to.include(answer.status);
      }
    });
  });

  const outage = (what: string, begin: () => void | Promise<void>, end: () => void | Promise<void>): void => {
    describe(`while ${what}`, () => {
      before(begin);
      after(end);
      for (const name of NAMES) {
        it(`${name}: 503`, async () => {
          const answer = await refused(what, name, [bearer(lastToken)]);
          expect(answer.status).to.equal(503);
        });
      }
    });
  };
  /** A token that was good when the outage began. */
  let lastToken = '';

  outage(
    'the store does not answer',
    async () => {
      lastToken = (await client.issue('alice')).accessToken;
      redis.pause();
    },
    async () => {
      redis.resume();
      await until(async () => (await client.health('')) === 'SERVING', 30_000);
    },
  );

  outage(
    'the service does not answer',
    async () => {
      lastToken = (await client.issue('alice')).accessToken;
      service.child.kill('SIGSTOP');
    },
    async () => {
      service.child.kill('SIGCONT');
      await until(async () => (await client.health('')) === 'SERVING', 30_000);
    },
  );

  outage(
    'service and gateway have stopped',
    async () => {
      lastToken = (await client.issue('alice')).accessToken;
      await gateway.stop();
      await service.stop();
    },
    () => {},
  );

  describe('at the end', () => {
    for (const name of NAMES) {
      it(`${name}: ends with all its processes`, async () => {
        const proxy = proxies.get(name);
        await proxy?.stop();
        await until(() => !isRunning(-(proxy?.pid ?? 0)), 30_000);
      });
    }

    it('writes all cases into the table of docs/proxies.md', () => {
      const lines = [...rows].map(([what, cells]) => `| ${[what, ...cells].join(' | ')} |`);
      const table = [`| | ${NAMES.join(' | ')} |`, `|---|${NAMES.map(() => '---|').join('')}`, ...lines].join('\n');
      const page = readFileSync(PAGE, 'utf8');
      expect([...rows.values()].every((cells) => cells.length === NAMES.length)).to.equal(true);
      const between = /(<!-- doors -->\n)[\s\S]*?(<!-- \/doors -->)/;
      const written = page.replace(between, (_all, start, end) => `${start}\n${table}\n\n${end}`);
      expect(written).to.include(table);
      if (written !== page) writeFileSync(PAGE, written);
    });
  });
});

/** @param pid negative: a group of processes */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A token of a service whose tokens live for a second, on the same store and with the same secret. */
async function issueExpired(env: Readonly<Record<string, string>>): Promise<string> {
  const service = await startServe({ env: { ...env, ACCESS_TTL: '1s', REFRESH_GRACE: '0s' } });
  const client = new TestClient(service.address);
  const { accessToken } = await client.issue('alice');
  await until(async () => (await client.verdict(accessToken)) === 'EXPIRED', 10_000);
  client.close();
  await service.stop();
  return accessToken;
}

function* pairsIn(head: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < head.length; index += 2) yield [head[index] ?? '', head[index + 1] ?? ''];
}
const pairsOf = (head: readonly string[]): readonly (readonly [string, string])[] => [...pairsIn(head)];
