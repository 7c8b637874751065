// One verdict at every door: each of forty tokens through all that judge tokens.
// ValidateToken, ValidateTokens, the validator library, the gateway's check, Envoy's Check and OAuth introspection.

import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { CannotTell, createValidator, type Validator } from '../../src/validator/index.js';
import { CallFailed, verdictIn } from '../support/auth-client.js';
import { ExtAuthzClient } from '../support/ext-authz-client.js';
import { JWT_SECRET } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import type { AnyBrowser } from './browser.js';
import { type RunningNode, Stage } from './stage.js';

type Claims = Readonly<Record<string, unknown>>;
type Door = (token: string) => Promise<string>;

const CHECK = '/api/auth/check';
const SETTINGS = { JWT_ISSUER: 'https://login.example.com', JWT_AUDIENCE: 'orders,mail', EXT_AUTHZ: 'true' };

const CLIENT_SECRET = 'a secret of the client, for tests alone';
const CLIENT = {
  id: 'orders',
  secret_sha256: [createHash('sha256').update(CLIENT_SECRET).digest('hex')],
  rights: ['introspect'],
};
const INACTIVE = '{"active":false}';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part = ''): Claims => JSON.parse(Buffer.from(part, 'base64url').toString());

describe('every door', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const keys = new JwtKeys(keyFromSecret(JWT_SECRET));
  const tokens = new Map<string, string>();
  const doors = new Map<string, Door>();
  let redis: RedisServer;
  let node: RunningNode;
  let gateway: AnyBrowser;
  let validators: readonly Validator[];
  let envoy: ExtAuthzClient;

  before(async () => {
    redis = await stage.redis();
    node = await stage.serveHere(redis, SETTINGS);
    const clients = join(await stage.folder(), 'clients.json');
    writeFileSync(clients, JSON.stringify({ clients: [CLIENT] }));
    gateway = await stage.gatewayHere(node, { OAUTH_CLIENTS: clients });
    envoy = new ExtAuthzClient(node.process.address);
    const make = () => createValidator({ address: node.process.address, deadline: '3s' });
    validators = [make(), make()];
    await addTokens();
    const [strict, bounded] = validators;
    doors.set('ValidateTokens', async (token) => (await node.client.verdictAmong(token)) ?? 'UNKNOWN');
    doors.set('the library, strict', (token) => outcomeOf(strict?.validate(token, { consistency: 'strict' })));
    doors.set('the library, bounded', (token) => outcomeOf(bounded?.validate(token)));
    doors.set('the library, remembered', (token) => outcomeOf(bounded?.validate(token)));
    doors.set('the check of the gateway', async (token) => {
      const { status, headers } = await gateway.ask(CHECK, { headers: { authorization: `Bearer ${token}` } });
      return verdictOf(status, headers.get('www-authenticate') ?? '');
    });
    doors.set('IntrospectToken', (token) => introspected(token));
    doors.set("Envoy's Check", async (token) => {
      const { httpStatus, headers } = await envoy.check({ headers: { authorization: `Bearer ${token}` } });
      return verdictOf(httpStatus, headers['www-authenticate'] ?? '');
    });
  });
  after(async () => {
    for (const validator of validators) await validator.close();
    envoy.close();
    await stage.clear();
  });

  /** The answer of the introspection endpoint to a token. */
  async function introspection(token: string): Promise<{ readonly status: number; readonly text: string }> {
    return gateway.ask('/oauth2/introspect', {
      ...{ method: 'POST', body: new URLSearchParams({ token }) },
      headers: { authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT_SECRET}`).toString('base64')}` },
    });
  }

  /** What IntrospectToken says of an access token. It takes refresh tokens too, which are none here. */
  async function introspected(token: string): Promise<string> {
    try {
      const introspected = await node.client.introspect(token);
      if (introspected.response?.['token_use'] === 'refresh') return 'WRONG_TYPE';
      return verdictIn(introspected);
    } catch (error) {
      if (error instanceof CallFailed && error.failure.code === 'UNAVAILABLE') return 'UNKNOWN';
      throw error;
    }
  }

  /** A pair of a new session, and the parts of its access token. */
  async function session(subject = 'alice') {
    const pair = await node.client.issue(subject, { role: 'editor' });
    const [header = '', payload = '', signature = ''] = pair.accessToken.split('.');
    return { pair, header, payload, signature, claims: decoded(payload) };
  }

  async function addTokens(): Promise<void> {
    const { pair, header, payload, signature, claims } = await session();
    const signed = (changed: Claims): string => keys.sign('access', { ...claims, ...changed }, keys.signingKid);
    const without = (name: string): string => signed({ [name]: undefined });
    const withHeader = (changed: Claims): string => {
      const input = `${encoded({ ...decoded(header), ...changed })}.${payload}`;
      return `${input}.${createHmac('sha256', JWT_SECRET).update(input).digest('base64url')}`;
    };
    const nowS = Math.floor(Date.now() / 1000);
    tokens.set('good', pair.accessToken);
    tokens.set('good, signed anew', signed({}));
    tokens.set('good, one audience', signed({ aud: 'mail' }));
    tokens.set('good, other claims', signed({ role: 'none', nested: { a: [1, null] } }));
    tokens.set('good, nbf in the past', signed({ nbf: nowS - 60 }));
    tokens.set('one part', 'token');
    tokens.set('two parts', `${header}.${payload}`);
    tokens.set('four parts', `${pair.accessToken}.x`);
    tokens.set('an empty signature', `${header}.${payload}.`);
    tokens.set('an empty payload', `${header}..${signature}`);
    tokens.set('a header that is no JSON', `e30x.${payload}.${signature}`);
    tokens.set('padding', `${pair.accessToken}=`);
    tokens.set('other base64', `${header}.${payload}.${signature.slice(0, -1)}+`);
    tokens.set('large', `${header}.${'a'.repeat(9_000)}.${signature}`);
    tokens.set(
      'a changed signature',
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    );
    tokens.set('a changed payload', `${header}.${encoded({ ...claims, sub: 'mallory' })}.${signature}`);
    tokens.set('another signature', withHeader({}));
    tokens.set('alg none', withHeader({ alg: 'none' }));
    tokens.set('alg ES256', withHeader({ alg: 'ES256' }));
    tokens.set('another kid', withHeader({ kid: 'unknown' }));
    tokens.set('no kid', withHeader({ kid: undefined }));
    tokens.set('crit', withHeader({ crit: ['exp'] }));
    tokens.set('a refresh token', pair.refreshToken);
    tokens.set('token_type refresh', signed({ token_type: 'refresh' }));
    for (const name of ['sub', 'sid', 'gen', 'jti', 'iat', 'exp', 'token_type', 'iss', 'aud']) {
      tokens.set(`without ${name}`, without(name));
    }
    tokens.set('a subject that is a number', signed({ sub: 7 }));
    tokens.set('another issuer', signed({ iss: 'https://other.example.com' }));
    tokens.set('another audience', signed({ aud: 'payments' }));
    tokens.set('a jti of another session', signed({ jti: 'a0.0' }));
    tokens.set('expired', signed({ iat: nowS - 600, exp: nowS - 300 }));
    tokens.set('not yet valid', signed({ nbf: nowS + 3_600 }));
    const ended = await session('bob');
    await node.client.logout({ accessToken: ended.pair.accessToken });
    tokens.set('logged out', ended.pair.accessToken);
    const revoked = await session('carol');
    await node.client.revokeSubject('carol');
    tokens.set('revoked with its subject', revoked.pair.accessToken);
    const refreshed = await session('dave');
    await node.client.refresh(refreshed.pair.refreshToken);
    tokens.set('of the generation before', refreshed.pair.accessToken);
  }

  it('gives the verdict of ValidateToken on forty tokens', async () => {
    expect(tokens.size).to.be.at.least(40);
    const differences: string[] = [];
    const verdicts = new Set<string>();
    for (const [what, token] of tokens) {
      // An oversized text is an invalid request there; elsewhere it is a bad token.
      const wanted = what === 'large' ? 'MALFORMED' : await node.client.verdict(token);
      verdicts.add(wanted);
      for (const [door, ask] of doors) {
        const found = await ask(token);
        if (found !== wanted) differences.push(`${what}: ${wanted}, but ${found} by ${door}`);
      }
      // An OAuth client does not learn why.
      const { status, text } = await introspection(token);
      const active = wanted === 'active' || what === 'a refresh token';
      const isRight = status === 200 && (active ? JSON.parse(text).active === true : text === INACTIVE);
      if (!isRight) differences.push(`${what}: ${wanted}, but ${status} ${text} by introspection`);
    }
    expect(differences).to.deep.equal([]);
    expect([...verdicts]).to.include.members([
      ...['active', 'MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'WRONG_TYPE', 'MISSING_CLAIM', 'EXPIRED'],
      ...['NOT_YET_VALID', 'WRONG_ISSUER', 'WRONG_AUDIENCE', 'REVOKED'],
    ]);
  });

  it('says that it cannot tell while the store does not answer', async () => {
    const { pair } = await session('erin');
    redis.pause();
    try {
      for (const [door, ask] of doors) expect(await ask(pair.accessToken), door).to.equal('UNKNOWN');
      for (const token of [pair.accessToken, pair.refreshToken]) {
        const { status, text } = await introspection(token);
        expect([status, text.includes('active')]).to.deep.equal([503, false]);
      }
    } finally {
      redis.resume();
    }
    await until(async () => (await node.client.health('')) === 'SERVING', 30_000);
  });
});

async function outcomeOf(validation: ReturnType<Validator['validate']> | undefined): Promise<string> {
  try {
    const result = await validation;
    return result?.active ? 'active' : (result?.problem ?? 'nothing');
  } catch (error) {
    if (error instanceof CannotTell) return 'UNKNOWN';
    throw error;
  }
}

function verdictOf(httpStatus: number, challenge: string): string {
  if (httpStatus === 200) return 'active';
  if (httpStatus === 503) return 'UNKNOWN';
  return /error_description="(\w+)"/.exec(challenge)?.[1] ?? `${httpStatus}`;
}
