// Tests of signed introspection: who gets it, what it says, and that no verifier takes it for an access token.

import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type AuthorizationServer, allowInsecureRequests, validateJwtAccessToken } from 'oauth4webapi';
import { prefers } from '../../gateway/http/accept.js';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem } from '../../src/adapters/jwt/key-pair.js';
import { failureOfCall } from '../support/auth-client.js';
import { POLICY } from '../support/world.js';
import { basic, INTROSPECT, SECRET } from './oauth-clients.js';
import { OAuthScene } from './oauth-scene.js';

const ISSUER = 'https://login.example.com';
const SIGNED = 'application/token-introspection+jwt';
const METADATA = '/.well-known/oauth-authorization-server';
const KEY_SET = '/.well-known/jwks.json';

describe('gateway: signed introspection', () => {
  let scene: OAuthScene;
  before(async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = new JwtKeys(keyFromPem(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()));
    const policy = { ...POLICY, issuer: ISSUER, audience: ['orders'], clientId: 'shop' };
    scene = await OAuthScene.start({ JWT_ISSUER: ISSUER }, { keys, policy });
    // Other verifiers go by the clock of the machine.
    scene.service.world.nowMs = Math.floor(Date.now() / 1000) * 1000;
  });
  after(() => scene.stop());

  const ask = (token: string, accept = SIGNED): Promise<Response> =>
    scene.post(INTROSPECT, { token }, { accept, ...basic('orders', SECRET) });
  const signedOf = async (token: string): Promise<string> => (await ask(token)).text();

  it('is a JWT for the client that asked, which the key set verifies, with the response of JSON within', async () => {
    const { accessToken } = await scene.service.client.issue('alice');
    const response = await ask(accessToken);
    expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, SIGNED]);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    const keySet = createRemoteJWKSet(new URL(scene.url + KEY_SET));
    const { payload, protectedHeader } = await jwtVerify(await response.text(), keySet, {
      ...{ issuer: ISSUER, audience: 'orders', typ: 'token-introspection+jwt' },
    });
    expect(protectedHeader.alg).to.equal('ES256');
    expect(payload).to.deep.equal({
      ...{ iss: ISSUER, aud: 'orders', iat: scene.service.world.nowMs / 1000 },
      token_introspection: await scene.introspect(accessToken),
    });
    const other = await scene.post(INTROSPECT, { token: accessToken }, { accept: SIGNED, ...basic('orders', 'x') });
    expect(other.status).to.equal(401);
  });

  it('says no more of a bad token than JSON does', async () => {
    for (const token of ['x', 'x'.repeat(9_000)]) {
      expect(decodeJwt(await signedOf(token))).to.have.all.keys('iss', 'aud', 'iat', 'token_introspection');
      expect(decodeJwt(await signedOf(token))['token_introspection']).to.deep.equal({ active: false });
    }
  });

  it('is no token: not for the service, not for a proxy, not for verifiers of RFC 9068', async () => {
    const { accessToken } = await scene.service.client.issue('alice');
    const jwt = await signedOf(accessToken);
    const { client } = scene.service;
    expect(await client.verdict(jwt)).to.equal('MISSING_CLAIM');
    expect((await failureOfCall(client.refresh(jwt))).reason).to.equal('MISSING_CLAIM');
    expect(await scene.introspect(jwt)).to.deep.equal({ active: false });
    const headers = { authorization: `Bearer ${jwt}` };
    expect((await scene.ask('/api/auth/check', { headers })).status).to.equal(401);
    const server: AuthorizationServer = { issuer: ISSUER, jwks_uri: scene.url + KEY_SET };
    const accepted = (token: string): Promise<boolean> =>
      validateJwtAccessToken(
        server,
        new Request('https://orders.example.com', { headers: { authorization: `Bearer ${token}` } }),
        'orders',
        { [allowInsecureRequests]: true },
      ).then(
        () => true,
        () => false,
      );
    expect([await accepted(accessToken), await accepted(jwt)]).to.deep.equal([true, false]);
  });

  it('is announced in the metadata, with the keys', async () => {
    expect(await scene.ask(METADATA).then((response) => response.json())).to.deep.include({
      jwks_uri: ISSUER + KEY_SET,
      introspection_signing_alg_values_supported: ['ES256'],
    });
  });

  it('is JSON for a client that does not name the type', async () => {
    for (const accept of ['*/*', 'application/*', 'application/json', `${SIGNED};q=0`]) {
      const response = await ask('x', accept);
      expect(response.headers.get('content-type'), accept).to.equal('application/json');
    }
  });

  it('is 406 where the service cannot sign, and never JSON', async () => {
    const secret = await OAuthScene.start();
    try {
      const response = await secret.post(INTROSPECT, { token: 'x' }, { accept: SIGNED, ...basic('orders', SECRET) });
      expect(response.status).to.equal(406);
      expect(await response.text())
        .to.include('cannot sign')
        .and.not.include('active');
    } finally {
      await secret.stop();
    }
  });

  for (const [accept, wanted] of [
    [undefined, false],
    ['', false],
    [SIGNED, true],
    [SIGNED.toUpperCase(), true],
    [`text/html, ${SIGNED} ; q=0.5`, true],
    [`application/json, ${SIGNED}`, true],
    [`application/json;q=0.9, ${SIGNED};q=0.8`, false],
    [`application/json;q=0.8,${SIGNED};q=0.9`, true],
    [`${SIGNED};q=0.000`, false],
    [`${SIGNED};q=2`, false],
    [`${SIGNED};q=`, false],
    ['application/token-introspection', false],
  ] as const) {
    it(`is ${wanted ? '' : 'not '}what "${accept}" asks for`, () => {
      expect(prefers(accept, SIGNED, 'application/json')).to.equal(wanted);
    });
  }
});
