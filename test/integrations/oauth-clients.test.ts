// OAuth libraries as clients of the gateway: oauth4webapi and openid-client find the endpoints, introspect and revoke.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import type { AnyBrowser } from '../e2e/browser.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { freePort } from '../support/free-ports.js';

const ISSUER = 'https://login.example.com/tenants/one';
const ORIGIN = new URL(ISSUER).origin;
/** What the libraries encode in HTTP Basic, and some others do not. */
const SECRET = 'for tests alone: 100% of it + ä/é&=?';
const REVOKER = 'a credential to revoke, for tests alone';
const ID = 'orders@example.com';
const SUBJECT = { sub_id: { format: 'iss_sub', iss: ISSUER, sub: 'carol' } };
const asClient = { authorization: `Basic ${Buffer.from(`${ID}:${SECRET}`).toString('base64')}` };

describe('OAuth libraries', () => {
  const stage = new Stage();
  let node: RunningNode;
  let gateway: AnyBrowser;
  /** The settings of the gateway. */
  let variables: Record<string, string>;
  /** A client of IssuerService. */
  let issuer: RunningNode['client'];
  before(async () => {
    const [folder, data] = [await stage.folder(), await stage.folder()];
    const env = { JWT_KEYS_DIR: join(folder, 'keys') };
    generateKey(env.JWT_KEYS_DIR, 'one');
    const secretHash = createHash('sha256').update(SECRET).digest('hex');
    const rights = ['introspect', 'global_revocation'];
    const file = join(folder, 'clients.json');
    writeFileSync(file, JSON.stringify({ clients: [{ id: ID, secret_sha256: [secretHash], rights }] }));
    // IssuerService has a port of its own, with the credential for revocations alone.
    const port = await freePort();
    const shared = { JWT_ISSUER: ISSUER, ISSUER_ADDRESS: `127.0.0.1:${port}`, REVOKER_TOKEN: REVOKER };
    node = await stage.serveHere(data, {
      ...env,
      ...shared,
      JWT_SECRET: '',
      JWT_AUDIENCE: 'orders',
      JWT_CLIENT_ID: 'shop',
    });
    variables = { ...shared, OAUTH_CLIENTS: file };
    gateway = await stage.gatewayHere(node, variables);
    issuer = stage.client(`127.0.0.1:${port}`);
  });
  after(() => stage.clear());

  /** Requests to the issuer's host reach the gateway, as by a proxy. */
  const viaProxy = (url: string | URL, init?: object): Promise<Response> => {
    const target = `${url}`.replace(ORIGIN, `http://${gateway.process.address}`);
    if (target === `${url}`) throw new Error(`a request to another host: ${url}`);
    return fetch(target, init);
  };

  describe('oauth4webapi', () => {
    const options = { [oauth.customFetch]: viaProxy };
    const client: oauth.Client = { client_id: ID };
    let server: oauth.AuthorizationServer;
    before(async () => {
      const url = new URL(ISSUER);
      const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options });
      server = await oauth.processDiscoveryResponse(url, response);
    });

    const introspected = async (token: string, by: oauth.ClientAuth, asked = client) =>
      oauth.processIntrospectionResponse(
        server,
        asked,
        await oauth.introspectionRequest(server, asked, by, token, options),
      );
    const revoked = async (token: string, by: oauth.ClientAuth, more: Record<string, string> = {}) =>
      oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, by, token, { ...options, additionalParameters: more }),
      );

    for (const [method, by] of [
      ['client_secret_basic', oauth.ClientSecretBasic(SECRET)],
      ['client_secret_post', oauth.ClientSecretPost(SECRET)],
    ] as const) {
      it(`introspects tokens of both kinds by ${method}`, async () => {
        const { accessToken, refreshToken, sessionId } = await issuer.issue('alice');
        const wanted = { active: true, iss: ISSUER, aud: 'orders', sub: 'alice', client_id: 'shop', sid: sessionId };
        expect(await introspected(accessToken, by)).to.include({ ...wanted, token_use: 'access' });
        expect(await introspected(refreshToken, by)).to.include({ ...wanted, token_use: 'refresh' });
        expect(await introspected(`${accessToken}x`, by)).to.deep.equal({ active: false });
      });
    }

    it('is refused with another secret, and says by what error', async () => {
      const { accessToken } = await issuer.issue('alice');
      for (const by of [oauth.ClientSecretBasic(`${SECRET}x`), oauth.ClientSecretPost(`${SECRET}x`)]) {
        const error = await introspected(accessToken, by).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(oauth.WWWAuthenticateChallengeError);
      }
    });

    it('revokes with and without a secret, and takes 200 for a token that is none', async () => {
      for (const by of [oauth.ClientSecretBasic(SECRET), oauth.ClientSecretPost(SECRET), oauth.None()]) {
        for (const kind of ['accessToken', 'refreshToken'] as const) {
          const pair = await issuer.issue('alice');
          await revoked(pair[kind], by, { token_type_hint: 'access_token' });
          expect(await node.client.verdict(pair.accessToken)).to.equal('REVOKED');
        }
        await revoked('no token', by);
      }
    });

    it('verifies signed responses by the metadata and the key set', async () => {
      const { accessToken } = await issuer.issue('alice');
      const signed = { ...client, introspection_signed_response_alg: 'ES256' };
      const by = oauth.ClientSecretBasic(SECRET);
      const response = await oauth.introspectionRequest(server, signed, by, accessToken, options);
      expect(await oauth.processIntrospectionResponse(server, signed, response)).to.include({ sub: 'alice' });
      await oauth.validateApplicationLevelSignature(server, response, options);
    });
  });

  describe('openid-client', () => {
    const configured = (by: openid.ClientAuth, metadata: Partial<openid.ClientMetadata> = {}) =>
      openid.discovery(new URL(ISSUER), ID, metadata, by, {
        ...{ algorithm: 'oauth2', [openid.customFetch]: viaProxy },
      });

    for (const [method, by] of [
      ['client_secret_basic', openid.ClientSecretBasic(SECRET)],
      ['client_secret_post', openid.ClientSecretPost(SECRET)],
    ] as const) {
      it(`finds the endpoints, introspects and revokes by ${method}`, async () => {
        const configuration = await configured(by);
        const pair = await issuer.issue('alice');
        expect(await openid.tokenIntrospection(configuration, pair.accessToken)).to.include({ sub: 'alice' });
        await openid.tokenRevocation(configuration, pair.refreshToken, { token_type_hint: 'refresh_token' });
        expect(await openid.tokenIntrospection(configuration, pair.accessToken)).to.deep.equal({ active: false });
      });
    }

    it('revokes as a public client', async () => {
      const pair = await issuer.issue('alice');
      await openid.tokenRevocation(await configured(openid.None()), pair.accessToken);
      expect(await node.client.verdict(pair.accessToken)).to.equal('REVOKED');
    });

    it('verifies signed responses', async () => {
      const configuration = await configured(openid.ClientSecretBasic(SECRET), {
        introspection_signed_response_alg: 'ES256',
      });
      openid.enableNonRepudiationChecks(configuration);
      const { refreshToken } = await issuer.issue('alice');
      expect(await openid.tokenIntrospection(configuration, refreshToken)).to.include({ token_use: 'refresh' });
    });
  });

  describe('at last', () => {
    it('find all sessions ended by a global token revocation', async () => {
      const pair = await issuer.issue('carol');
      const { status } = await gateway.post('/oauth2/global-token-revocation', SUBJECT, asClient);
      expect([status, await node.client.verdict(pair.accessToken)]).to.deep.equal([204, 'REVOKED']);
    });

    it('are served by a gateway that ends when it is asked to, with both of its connections open', async () => {
      expect(await node.client.health()).to.equal('SERVING');
      const other = await stage.gateway(node, variables);
      const response = await other.post('/oauth2/global-token-revocation', SUBJECT, asClient);
      expect(response.status).to.equal(204);
      expect(await other.process.stop()).to.equal(0);
    });

    it('get an error, and no verdict, while the service does not answer', async () => {
      const { accessToken } = await issuer.issue('alice');
      const configuration = await openid.discovery(new URL(ISSUER), ID, {}, openid.ClientSecretBasic(SECRET), {
        ...{ algorithm: 'oauth2', [openid.customFetch]: viaProxy },
      });
      await node.process.kill();
      for (const call of [openid.tokenIntrospection, openid.tokenRevocation]) {
        const error = await call(configuration, accessToken).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(openid.ClientError);
      }
    });
  });
});
