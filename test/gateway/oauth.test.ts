// Tests of introspection and revocation by OAuth clients: their credentials, each answer, and each error.

import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { JWT_SECRET } from '../support/processes.js';
import { tokenProblem } from '../support/scripted-auth-service.js';
import { POLICY } from '../support/world.js';
import { basic, INTROSPECT, ODD_SECRET, REVOKE, SECRET, sha256 } from './oauth-clients.js';
import { OAuthScene } from './oauth-scene.js';
import { ORIGIN, RunningGateway } from './running-gateway.js';

/** As RFC 6749 says, and as it is often done. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  'form-encoded': (text) => new URLSearchParams({ x: text }).toString().slice(2),
  'percent-encoded': encodeURIComponent,
  'not encoded': (text) => text,
};

describe('gateway: OAuth clients', () => {
  let scene: OAuthScene;
  let pair: TokenPair;
  before(async () => {
    scene = await OAuthScene.start({}, { policy: { ...POLICY, audience: ['orders'], clientId: 'shop' } });
  });
  after(() => scene.stop());
  beforeEach(async () => {
    pair = await scene.service.client.issue('alice', { role: 'editor' });
  });

  const errorOf = async (response: Response): Promise<unknown[]> => [
    response.status,
    ((await response.json()) as { error?: string }).error,
  ];
  const asOrders = basic('orders', SECRET);

  describe('introspection', () => {
    it('answers what an access token holds', async () => {
      const response = await scene.post(INTROSPECT, { token: pair.accessToken }, asOrders);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('application/json');
      expect(response.headers.get('cache-control')).to.equal('no-store');
      expect(await response.json()).to.deep.equal({
        ...{ active: true, token_use: 'access', token_type: 'Bearer', aud: 'orders', sub: 'alice' },
        ...{ sid: pair.sessionId, jti: `a${pair.sessionId}.0`, client_id: 'shop', role: 'editor' },
        ...{ iat: scene.service.world.nowMs / 1000, exp: pair.accessExpiresAt },
      });
    });

    it('answers what a refresh token holds, and changes nothing about it', async () => {
      const wanted = { active: true, token_use: 'refresh', sid: pair.sessionId, exp: pair.refreshExpiresAt };
      expect(await scene.introspect(pair.refreshToken)).to.include(wanted);
      expect(await scene.introspect(pair.refreshToken)).to.include(wanted);
      await scene.service.client.refresh(pair.refreshToken);
    });

    it('reads no hint, right or wrong', async () => {
      for (const hint of ['access_token', 'refresh_token', 'other', '']) {
        for (const token of [pair.accessToken, pair.refreshToken]) {
          expect(await scene.introspect(token, { token_type_hint: hint }), hint).to.include({ active: true });
        }
      }
    });

    it('says that a bad token is not active, and nothing else', async () => {
      const ended = await scene.service.client.issue('bob');
      await scene.service.client.logout({ accessToken: ended.accessToken });
      const large = 'x'.repeat(9_000);
      for (const token of [ended.accessToken, ended.refreshToken, 'x', `${pair.accessToken}x`, large, 'ä\0']) {
        expect(await scene.introspect(token), token.slice(0, 20)).to.deep.equal({ active: false });
      }
    });

    it('answers 503 with a time to retry while the store cannot answer, and never that it is not active', async () => {
      for (const token of [pair.accessToken, pair.refreshToken]) {
        scene.service.flowing = false;
        const call = scene.post(INTROSPECT, { token }, asOrders);
        await scene.service.held();
        scene.service.world.setReachable(false);
        scene.service.flowing = true;
        const response = await call;
        scene.service.world.setReachable(true);
        expect(response.status).to.equal(503);
        expect(Number(response.headers.get('retry-after'))).to.be.at.least(1);
        expect(await response.text()).to.not.include('active');
      }
    });

    it('requires a client with that right, whatever else is wrong', async () => {
      const wrong = [
        {},
        basic('orders', `${SECRET}x`),
        basic('orders', ''),
        basic('nobody', SECRET),
        basic('', SECRET),
        { authorization: 'Basic !' },
        { authorization: 'Basic' },
        { authorization: `Bearer ${pair.accessToken}` },
        { authorization: `Basic ${Buffer.from('orders').toString('base64')}` },
      ];
      for (const headers of wrong) {
        const response = await scene.post(INTROSPECT, {}, headers);
        expect(response.headers.get('www-authenticate')).to.equal('Basic realm="oauth2", charset="UTF-8"');
        expect(await errorOf(response), JSON.stringify(headers)).to.deep.equal([401, 'invalid_client']);
      }
      const named = await scene.post(INTROSPECT, { token: pair.accessToken, client_id: 'orders' });
      expect(await errorOf(named)).to.deep.equal([401, 'invalid_client']);
    });

    it('requires a token', async () => {
      for (const form of ['', 'token=', 'token_type_hint=access_token']) {
        expect(await errorOf(await scene.post(INTROSPECT, form, asOrders))).to.deep.equal([400, 'invalid_request']);
      }
    });

    it('takes a form alone, and no parameter twice', async () => {
      const json = { 'content-type': 'application/json', ...asOrders };
      const body = JSON.stringify({ token: pair.accessToken });
      for (const response of [
        await scene.post(INTROSPECT, body, json),
        await scene.post(INTROSPECT, 'token=a&token=b', asOrders),
        await scene.post(INTROSPECT, 'token=a&x=&x=', asOrders),
        await scene.ask(INTROSPECT, { method: 'POST', headers: asOrders }),
        await scene.ask(INTROSPECT, {
          ...{ method: 'POST', body: new Uint8Array([0xff]) },
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...asOrders },
        }),
      ]) {
        expect(await errorOf(response)).to.deep.equal([400, 'invalid_request']);
      }
      const upper = { 'content-type': 'Application/X-WWW-Form-Urlencoded;charset=UTF-8', ...asOrders };
      expect((await scene.post(INTROSPECT, { token: 'x' }, upper)).status).to.equal(200);
    });

    it('has no other method, and is for no page of a browser', async () => {
      const get = await scene.ask(`${INTROSPECT}?token=x`);
      expect([get.status, get.headers.get('allow')]).to.deep.equal([405, 'POST, OPTIONS']);
      const preflight = await scene.ask(INTROSPECT, {
        ...{ method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } },
      });
      expect(preflight.headers.get('access-control-allow-origin')).to.equal(null);
    });

    it('names the client in the log, and neither token nor secret', async () => {
      await scene.introspect(pair.accessToken);
      await scene.post(INTROSPECT, { token: pair.accessToken, client_id: 'orders', client_secret: `${SECRET}!` });
      const text = scene.log.join('');
      expect(text).to.include('"route":"/oauth2/introspect"').and.include('"client":"orders"');
      for (const secret of [pair.accessToken.slice(-43), SECRET, asOrders['authorization'] ?? '', sha256(SECRET)]) {
        expect(text).to.not.include(secret);
      }
    });
  });

  describe('credentials', () => {
    for (const [how, encode] of Object.entries(ENCODINGS)) {
      it(`by HTTP Basic may be ${how}`, async () => {
        const headers = basic(encode('odd@client'), encode(ODD_SECRET));
        expect((await scene.post(INTROSPECT, { token: 'x' }, headers)).status).to.equal(200);
        const other = basic(encode('odd@client'), encode(`${ODD_SECRET} `));
        expect((await scene.post(INTROSPECT, { token: 'x' }, other)).status).to.equal(401);
      });
    }

    it('by HTTP Basic may be in Latin-1', async () => {
      const headers = basic('odd@client', ODD_SECRET, 'latin1');
      expect((await scene.post(INTROSPECT, { token: 'x' }, headers)).status).to.equal(200);
    });

    it('may be parameters', async () => {
      const form = { token: 'x', client_id: 'odd@client', client_secret: ODD_SECRET };
      expect((await scene.post(INTROSPECT, form)).status).to.equal(200);
      expect(await errorOf(await scene.post(INTROSPECT, { ...form, client_secret: 'x' }))).to.deep.equal([
        ...[401, 'invalid_client'],
      ]);
      expect(await errorOf(await scene.post(INTROSPECT, { token: 'x', client_secret: 'x' }))).to.deep.equal([
        ...[400, 'invalid_request'],
      ]);
    });

    it('may not come in two ways, nor for two clients', async () => {
      const secret = { token: 'x', client_id: 'orders', client_secret: SECRET };
      const other = { token: 'x', client_id: 'odd@client' };
      for (const form of [secret, other]) {
        expect(await errorOf(await scene.post(INTROSPECT, form, asOrders))).to.deep.equal([400, 'invalid_request']);
      }
      expect((await scene.post(INTROSPECT, { token: 'x', client_id: 'orders' }, asOrders)).status).to.equal(200);
    });

    it('may not come in two headers', async () => {
      // `fetch` joins the two lines with a comma, as some proxies do.
      const { authorization = '' } = asOrders;
      const headers = new Headers([['content-type', 'application/x-www-form-urlencoded']]);
      headers.append('authorization', authorization);
      headers.append('authorization', authorization);
      const response = await scene.ask(INTROSPECT, { method: 'POST', body: 'token=x', headers });
      expect(await errorOf(response)).to.deep.equal([401, 'invalid_client']);
      const type = 'application/x-www-form-urlencoded';
      const lines = { 'content-type': type, authorization: [authorization, authorization] } as object;
      const sent = request(scene.url + INTROSPECT, { method: 'POST', headers: { ...lines } }).end('token=x');
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      expect(answer.statusCode).to.equal(400);
      expect(await text(answer)).to.include('there are several Authorization headers');
    });
  });

  describe('revocation', () => {
    for (const kind of ['accessToken', 'refreshToken'] as const) {
      for (const hint of [undefined, 'access_token', 'refresh_token', 'other']) {
        it(`ends the session of its ${kind}, by the hint ${hint}, and answers the same again`, async () => {
          const form = { token: pair[kind], ...(hint === undefined ? {} : { token_type_hint: hint }) };
          for (let count = 0; count < 2; count++) {
            const response = await scene.post(REVOKE, form);
            expect([response.status, await response.text()]).to.deep.equal([200, '']);
            expect(response.headers.get('cache-control')).to.equal('no-store');
          }
          expect(await scene.service.client.verdict(pair.accessToken)).to.equal('REVOKED');
          expect(await scene.introspect(pair.refreshToken)).to.deep.equal({ active: false });
        });
      }
    }

    it('ends the session of a token that was traded or has expired', async () => {
      const next = await scene.service.client.refresh(pair.refreshToken);
      expect((await scene.post(REVOKE, { token: pair.refreshToken })).status).to.equal(200);
      expect(await scene.service.client.verdict(next.accessToken)).to.equal('REVOKED');
    });

    it('answers 200 for what is no token of ours, and ends nothing', async () => {
      for (const token of ['x', `${pair.accessToken}x`, 'x'.repeat(9_000), 'ä\0', pair.accessToken.slice(0, -1)]) {
        expect((await scene.post(REVOKE, { token })).status, token.slice(0, 20)).to.equal(200);
      }
      expect(await scene.service.client.verdict(pair.accessToken)).to.equal('active');
    });

    it('needs no client, but one that authenticates must be right', async () => {
      const form = { token: pair.accessToken };
      expect((await scene.post(REVOKE, { ...form, client_id: 'an app' })).status).to.equal(200);
      expect((await scene.post(REVOKE, form, asOrders)).status).to.equal(200);
      const wrong = await scene.post(REVOKE, form, basic('orders', 'x'));
      expect(wrong.headers.get('www-authenticate')).to.match(/^Basic /);
      expect(await errorOf(wrong)).to.deep.equal([401, 'invalid_client']);
    });

    it('requires a token', async () => {
      expect(await errorOf(await scene.post(REVOKE, {}))).to.deep.equal([400, 'invalid_request']);
    });

    it('answers 503 with a time to retry while the store cannot answer, and never that it is done', async () => {
      scene.service.flowing = false;
      const call = scene.post(REVOKE, { token: pair.accessToken });
      await scene.service.held();
      scene.service.world.setReachable(false);
      scene.service.flowing = true;
      const response = await call;
      scene.service.world.setReachable(true);
      expect(response.status).to.equal(503);
      expect(Number(response.headers.get('retry-after'))).to.be.at.least(1);
    });

    it('refuses the access token of another issuer, which names no session, and revokes its refresh token', async () => {
      const secret = createSecretKey('a secret of simplejwt, of more than 32 bytes', 'utf8');
      const keys = new JwtKeys(keyFromSecret(JWT_SECRET), [], secret);
      // Its sessions began before the store of the test.
      const adopting = await OAuthScene.start({}, { keys, policy: { ...POLICY, adoptedSinceMs: 1 } });
      const nowS = adopting.service.world.nowMs / 1000;
      const signed = (kind: string): string =>
        jwt.sign({ token_type: kind, sub: 'alice', jti: kind, iat: nowS, exp: nowS + 60 }, secret);
      const revoke = (token: string) => adopting.post(REVOKE, { token });
      try {
        expect(await adopting.introspect(signed('access'))).to.include({ active: true, sub: 'alice' });
        expect(await errorOf(await revoke(signed('access')))).to.deep.equal([400, 'unsupported_token_type']);
        expect(await adopting.introspect(signed('refresh'))).to.include({ active: true, token_use: 'refresh' });
        expect((await revoke(signed('refresh'))).status).to.equal(200);
        expect(await adopting.introspect(signed('refresh'))).to.deep.equal({ active: false });
      } finally {
        await adopting.stop();
      }
    });

    it('answers 503 where another server than ours refuses the token, which says nothing about it', async () => {
      const running = await RunningGateway.start({ oauth: true });
      const revoke = () => running.ask(REVOKE, { method: 'POST', body: new URLSearchParams({ token: 't' }) });
      try {
        for (const [domain, status] of [
          ['latchkey', 200],
          ['mesh.example', 503],
        ] as const) {
          running.service.script = () => {
            throw tokenProblem('BAD_SIGNATURE', domain);
          };
          expect((await revoke()).status).to.equal(status);
        }
      } finally {
        await running.stop();
      }
    });

    it('is for pages of listed origins', async () => {
      const response = await scene.post(REVOKE, { token: 'x' }, { origin: ORIGIN });
      expect(response.headers.get('access-control-allow-origin')).to.equal(ORIGIN);
    });
  });

  it('are counted by RATE_LIMIT, also those that are refused', async () => {
    const limited = await OAuthScene.start({ RATE_LIMIT: '3/1m' });
    try {
      for (const path of [INTROSPECT, REVOKE, INTROSPECT]) await limited.post(path, {});
      for (const path of [INTROSPECT, REVOKE]) expect((await limited.post(path, {})).status).to.equal(429);
    } finally {
      await limited.stop();
    }
  });

  it('have no routes where the setting is missing', async () => {
    const without = await OAuthScene.start({ OAUTH_CLIENTS: '' });
    try {
      for (const path of [INTROSPECT, REVOKE]) expect((await without.post(path, {}, asOrders)).status).to.equal(404);
    } finally {
      await without.stop();
    }
  });
});
