// Checks of examples/python/latchkey_feed.py, a client of the revocation feed: against a real service, and without it.

import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import * as forge from '../attacks/forge.js';
import { CannotRun, needTools, Workplace } from '../clients/workplace.js';
import { ROOT, readText } from '../docs/markdown.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { foreign } from '../e2e/tokens.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { FeedClient } from './feed-client.js';
import { scriptedRules } from './feed-rules.js';

const LIMIT_MS = 30_000;
const [ACTIVE, ENDED] = ['mallory is active, by the feed', 'not active, by the feed'];
const { authentic, authenticHs256, goodClaims } = forge;

describe('the example of a client of the feed in python', function () {
  this.timeout(300_000);
  const stage = new Stage();
  let place: Workplace;
  let folder: string;
  let keys: string;
  let redis: RedisServer;
  let node: ServiceNode;
  const clients: FeedClient[] = [];

  before(async function () {
    place = new Workplace({});
    stage.owns(() => place.remove());
    folder = join(place.folder, 'examples/python');
    mkdirSync(folder, { recursive: true });
    cpSync(join(ROOT, 'examples/python'), folder, { recursive: true });
    symlinkSync(join(ROOT, 'proto'), join(place.folder, 'proto'));
    const [, setUp = ''] = /^```sh\n(.*?)^```$/ms.exec(readText('examples/python/README.md')) ?? [];
    try {
      needTools('python3');
      await place.run(`cd examples/python\n${setUp}`);
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      process.stdout.write(`    not run: ${error.message}\n`);
      this.skip();
    }
    redis = await stage.redis();
    keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    const adopting = { ADOPT_TOKENS: 'simplejwt', SESSIONS_SINCE: '2020-01-01T00:00:00Z' };
    const env = { JWT_KEYS_DIR: keys, JWT_ISSUER: forge.ISSUER, JWT_AUDIENCE: 'api,web', ...adopting };
    node = await stage.serve(redis, env);
    // Before its log is complete, tokens are asked about.
    const client = follow();
    await until(async () => (await client.validate(token())) === ACTIVE, LIMIT_MS);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) expect(await client.stop()).to.equal('');
  });
  after(() => stage.clear());

  let made = 0;
  function claims(more: Record<string, unknown> = {}): Record<string, unknown> {
    const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
    // The log of a new store is complete only for a later `iat`.
    const iat = Math.floor(Date.now() / 1000) + 9;
    return goodClaims({ sid, jti: `a${sid}.0`, iat, exp: iat + 300, ...more });
  }
  const token = (more?: Record<string, unknown>): string => authentic(claims(more));

  function follow(address = node.process.address): FeedClient {
    const client = new FeedClient(folder, { AUTH_SERVICE_ADDRESS: address });
    clients.push(client);
    return client;
  }

  /** One that follows the feed: it decides on a token that it has never seen. */
  async function following(): Promise<FeedClient> {
    const client = follow();
    await until(async () => (await client.validate(token(), true)) === ACTIVE, LIMIT_MS);
    return client;
  }

  scriptedRules(follow);

  it('calls a token active that it has never seen, without a call, and not active once it is logged out', async () => {
    const client = await following();
    for (let n = 0; n < 5; n++) {
      const text = token();
      expect(await client.validate(text)).to.equal(ACTIVE);
      expect(await client.validate(text, true)).to.equal(ACTIVE);
      await node.client.logout({ accessToken: text });
      expect(await client.validate(text, true)).to.equal(ENDED);
      expect(await client.validate(text)).to.equal(ENDED);
    }
  });

  it('knows that all sessions of a subject have ended, and that a later one is active', async () => {
    const client = await following();
    const before = token({ sub: 'zoe' });
    await node.client.revokeSubject('zoe');
    expect(await client.validate(before, true)).to.equal(ENDED);
    expect(await client.validate(token({ sub: 'zoe' }), true)).to.equal('zoe is active, by the feed');
  });

  it('refuses by itself what the service would refuse', async () => {
    const client = await following();
    const good = token();
    const bad = {
      'no token': 'abc',
      'a deep header': `${Buffer.from('['.repeat(5_000)).toString('base64url')}.e30.AA`,
      'a signature of another token': `${good.split('.').slice(0, 2).join('.')}.${token().split('.')[2]}`,
      'no signature': `${good.split('.').slice(0, 2).join('.')}.`,
      'another typ': authentic(claims(), { typ: 'JWT' }),
      'another issuer': token({ iss: 'https://other.example' }),
      'another audience': token({ aud: ['other'] }),
      'no audience': token({ aud: undefined }),
      expired: token({ iat: 1_600_000_000, exp: 1_600_000_300 }),
    };
    for (const [name, text] of Object.entries(bad)) {
      expect(await client.validate(text), name).to.equal(ENDED);
      expect(await node.client.verdict(text), name).to.not.equal('active');
    }
  });

  it('asks about what the feed cannot tell: other keys, HS256, adopted tokens, times before the log', async () => {
    const client = await following();
    const asked = {
      'an unknown key': authentic(claims(), { kid: 'unknown' }),
      hs256: authenticHs256(claims()),
      adopted: foreign('access'),
      'from before the log': token({ iat: Math.floor(Date.now() / 1000) - 60 }),
      'ahead of the time': token({ iat: Math.floor(Date.now() / 1000) + 60 }),
    };
    for (const [name, text] of Object.entries(asked)) {
      const { active, subject } = await node.client.validate(text);
      const wanted = active ? `${subject} is active, asked` : 'not active, asked';
      for (const strict of [false, true]) expect(await client.validate(text, strict), name).to.equal(wanted);
    }
  });

  it('refuses tokens of a key that was taken away, and takes them again when it is back', async () => {
    const client = await following();
    const text = token();
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const pem = other.export({ format: 'pem', type: 'pkcs8' }).toString();
    writeFileSync(join(keys, 'other.pem'), pem, { mode: 0o600 });
    rmSync(join(keys, 'es256.pem'));
    await until(async () => (await client.validate(text)) === 'not active, asked', LIMIT_MS);
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    await until(async () => (await client.validate(text)) === ACTIVE, LIMIT_MS);
    rmSync(join(keys, 'other.pem'));
  });

  it('asks about tokens from before a log that was deleted, also when it has grown again', async () => {
    const client = await following();
    const [text, ended] = [token(), token()];
    expect(await client.validate(text, true)).to.equal(ACTIVE);
    await node.client.logout({ accessToken: ended });
    const logs = (await redis.raw.keys('lk:1:*:log')) as string[];
    await redis.raw.del(...logs);
    await until(async () => (await client.validate(text, true)) === 'mallory is active, asked', LIMIT_MS);
    expect(await client.validate(ended, true)).to.equal(ENDED);
    await until(async () => (await client.validate(token(), true)) === ACTIVE, LIMIT_MS);
  });

  it('answers nothing from before a pause', async () => {
    const client = await following();
    const text = token();
    expect(await client.validate(text)).to.equal(ACTIVE);
    client.pause();
    await node.client.logout({ accessToken: text });
    await elapse(2_100, 'longer than the feed vouches for');
    client.resume();
    expect(await client.validate(text)).to.match(/^not active, /);
  });

  it('cannot tell while the service is gone, except for what has ended', async () => {
    const client = await following();
    const [text, ended] = [token(), token()];
    await node.client.logout({ accessToken: ended });
    expect(await client.validate(ended, true)).to.equal(ENDED);
    expect(await client.validate(text, true)).to.equal(ACTIVE);
    await node.process.stop();
    expect(await client.validate(text, true)).to.equal('cannot tell, asked');
    await until(async () => (await client.validate(text)) === 'cannot tell, asked', LIMIT_MS);
    expect(await client.validate(ended)).to.equal(ENDED);
  });
});
