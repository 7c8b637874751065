// Tests that others can check our access tokens by the public keys, and that nothing else gets out.
// With jose, through the real gateway.

import { createPrivateKey } from 'node:crypto';
import { readFileSync, utimesSync } from 'node:fs';
import { expect } from 'chai';
import { createLocalJWKSet, createRemoteJWKSet, type errors, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { makeKey, writeKey } from '../../src/adapters/jwt/key-files.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { DAY } from '../support/world.js';
import { type RunningNode, Stage } from './stage.js';
import { headerOf } from './tokens.js';

const PATH = '/.well-known/jwks.json';
const PUBLIC = ['kty', 'use', 'alg', 'kid', 'crv', 'x', 'y', 'n', 'e'];

describe('the public keys', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let folder: string;
  let url: URL;
  /** Nodes that sign with ES256, RS256 and, without keys in files, HS256. */
  let nodes: Record<'ES256' | 'RS256' | 'HS256', RunningNode>;

  before(async () => {
    redis = await stage.redis();
    folder = await stage.folder();
    const kids = (['ES256', 'RS256'] as const).map((algorithm) => {
      const { pem, kid } = makeKey(algorithm);
      const old = new Date(Date.now() - DAY);
      utimesSync(writeKey(folder, algorithm, pem), old, old);
      return kid;
    });
    const [ec = '', rsa = ''] = kids;
    const env = { JWT_KEYS_DIR: folder, JWT_KEY_DELAY: '40s' };
    nodes = {
      ES256: await stage.serveHere(redis, { ...env, JWT_ACTIVE_KID: ec }),
      RS256: await stage.serveHere(redis, { ...env, JWT_ACTIVE_KID: rsa }),
      HS256: await stage.serveHere(redis),
    };
    url = new URL(PATH, `http://${(await stage.gatewayHere(nodes.ES256)).process.address}`);
  });
  after(() => stage.clear());

  const fetched = async (): Promise<JSONWebKeySet> => (await (await fetch(url)).json()) as JSONWebKeySet;

  for (const algorithm of ['ES256', 'RS256'] as const) {
    it(`verify the access tokens of ${algorithm}, with any library that knows RFC 7517`, async () => {
      const { accessToken, sessionId } = await nodes[algorithm].client.issue();
      for (const keySet of [createRemoteJWKSet(url), createLocalJWKSet(await fetched())]) {
        const { payload, protectedHeader } = await jwtVerify(accessToken, keySet, { typ: 'at+jwt' });
        expect(payload).to.include({ sub: 'alice', sid: sessionId });
        expect(protectedHeader.alg).to.equal(algorithm);
      }
    });

    it(`verify nothing else: no other token by ${algorithm}, and no refresh token`, async () => {
      const { accessToken, refreshToken } = await nodes[algorithm].client.issue();
      const keySet = createRemoteJWKSet(url);
      const codeOf = (token: string) => jwtVerify(token, keySet).catch((error: errors.JOSEError) => error.code);
      const forger = createPrivateKey(makeKey(algorithm).pem);
      const kid = String(headerOf(accessToken)['kid']);
      const forged = await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: algorithm, kid }).sign(forger);
      expect(await codeOf(forged)).to.equal('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
      for (const token of [refreshToken, (await nodes.HS256.client.issue()).accessToken]) {
        expect(await codeOf(token)).to.be.oneOf(['ERR_JWKS_NO_MATCHING_KEY', 'ERR_JOSE_NOT_SUPPORTED']);
      }
      expect(await nodes[algorithm].client.verdict(forged)).to.equal('BAD_SIGNATURE');
    });
  }

  it('are what is public of each key, and hold no part of a private one', async () => {
    const answer = await fetch(url);
    const text = await answer.text();
    const { keys } = JSON.parse(text) as JSONWebKeySet;
    expect(keys).to.have.length(2);
    for (const key of keys) {
      expect(PUBLIC).to.include.members(Object.keys(key));
      expect(Object.values(key)).to.not.include('');
    }
    expect(answer.headers.get('cache-control')).to.equal('public, max-age=20');
    for (const name of ['ES256', 'RS256']) {
      const jwk = createPrivateKey(readFileSync(`${folder}/${name}.pem`)).export({ format: 'jwk' });
      const secrets = [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].filter((part) => part !== undefined);
      expect(secrets, 'awake').to.not.be.empty;
      for (const secret of secrets) expect(text).to.not.include(secret);
    }
  });

  it('are none under a secret: that never leaves', async () => {
    expect(await nodes.HS256.client.keySet()).to.deep.equal({ keys: [], maxAgeSeconds: 0 });
    // Beside keys in files, where the secret verifies, there are those alone.
    const { keys } = await nodes.RS256.client.keySet();
    expect(keys.map(({ kty }) => kty).sort()).to.deep.equal(['EC', 'RSA']);
  });

  it('have a new key before it signs', async () => {
    const { pem, kid } = makeKey('ES256');
    writeKey(folder, 'new', pem);
    await until(async () => (await fetched()).keys.some((key) => key.kid === kid), 30_000);
    expect(headerOf((await nodes.ES256.client.issue()).accessToken)['kid']).to.not.equal(kid);
  });

  it('are there also while the store is away', async () => {
    await redis.kill();
    await until(async () => (await nodes.ES256.client.health()) === 'NOT_SERVING', 30_000);
    expect((await fetch(url)).status).to.equal(200);
    expect((await nodes.ES256.client.keySet()).keys).to.have.length(3);
  });
});
