// Our access tokens before a strict verifier of RFC 9068: oauth4webapi, by the gateway's key set.

import { expect } from 'chai';
import { type AuthorizationServer, allowInsecureRequests, validateJwtAccessToken } from 'oauth4webapi';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import { Stage } from '../e2e/stage.js';

const ISSUER = 'https://login.example.com';

describe('oauth4webapi', () => {
  const stage = new Stage();
  after(() => stage.clear());

  /** What the library says of an access token, by its `client_id`. */
  async function verifier(env: Readonly<Record<string, string>>) {
    const folder = await stage.folder();
    generateKey(folder, 'one');
    const node = await stage.serveHere(await stage.folder(), {
      ...{ JWT_KEYS_DIR: folder, JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'orders' },
      ...env,
    });
    const gateway = await stage.gatewayHere(node);
    const server: AuthorizationServer = {
      issuer: ISSUER,
      jwks_uri: `http://${gateway.process.address}/.well-known/jwks.json`,
    };
    const { accessToken } = await node.client.issue('alice');
    const request = new Request('https://orders.example.com', { headers: { authorization: `Bearer ${accessToken}` } });
    return validateJwtAccessToken(server, request, 'orders', { [allowInsecureRequests]: true });
  }

  it('accepts an access token that names a client', async () => {
    const claims = await verifier({ JWT_CLIENT_ID: 'shop' });
    expect(claims).to.include({ iss: ISSUER, sub: 'alice', client_id: 'shop' });
  });

  it('refuses one without, which shows that it looks', async () => {
    const error = await verifier({}).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error);
    expect((error as Error).message).to.include('client_id');
  });
});
