// Tests of global token revocation: which requests end all sessions of a subject, and which end nothing.

import { expect } from 'chai';
import { Secret } from '../../src/platform/env.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import { basic, REVOKE_ALL as PATH, SECRET } from './oauth-clients.js';
import { OAuthScene } from './oauth-scene.js';
import { ORIGIN } from './running-gateway.js';

const ISSUER = 'https://login.example.com';
const REVOKER = 'a credential to revoke, for tests alone';
const OPAQUE = { sub_id: { format: 'opaque', id: 'alice' } };

describe('gateway: global token revocation', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.start(
      { JWT_ISSUER: ISSUER, REVOKER_TOKEN: REVOKER },
      {
        issuer: {
          ...{ credentials: [new Secret(ISSUER_TOKEN)], revokers: [new Secret(REVOKER)] },
          ...{ clientNames: [], address: undefined },
        },
      },
    );
  });
  after(() => scene.stop());

  const asManager = basic('manager', SECRET);
  const post = (body: unknown, headers: Record<string, string> = asManager, type = 'application/json') =>
    scene.ask(PATH, {
      ...{ method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) },
      headers: { 'content-type': type, ...headers },
    });
  const errorOf = async (response: Response): Promise<unknown[]> => [
    response.status,
    ((await response.json()) as { error?: string }).error,
  ];

  for (const [what, subId] of [
    ['opaque', OPAQUE.sub_id],
    ['iss_sub', { format: 'iss_sub', iss: ISSUER, sub: 'alice' }],
  ] as const) {
    it(`ends all sessions of a subject by the format ${what}, and of no other, and may be repeated`, async () => {
      const { client } = scene.service;
      const [one, two, other] = [await client.issue('alice'), await client.issue('alice'), await client.issue('bob')];
      for (let count = 0; count < 2; count++) {
        const response = await post({ sub_id: subId });
        expect([response.status, await response.text()]).to.deep.equal([204, '']);
        expect(response.headers.get('cache-control')).to.equal('no-store');
      }
      for (const { accessToken } of [one, two]) expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect(await client.verdict(other.accessToken)).to.equal('active');
      expect(await client.verdict((await client.issue('alice')).accessToken)).to.equal('active');
    });
  }

  it('refuses what names no subject of ours, and ends nothing', async () => {
    const pair = await scene.service.client.issue('alice');
    const wrong: readonly (readonly [body: unknown, status: number])[] = [
      ['', 400],
      ['{', 400],
      ['null', 400],
      ['[]', 400],
      [{}, 400],
      [{ sub_id: 'alice' }, 400],
      [{ sub_id: { id: 'alice' } }, 400],
      [{ sub_id: { format: 'email', email: 'alice@example.com' } }, 400],
      [{ sub_id: { format: 'toString', id: 'alice' } }, 400],
      [{ sub_id: { format: 'opaque' } }, 400],
      [{ sub_id: { format: 'opaque', id: '' } }, 400],
      [{ sub_id: { format: 'opaque', id: 7 } }, 400],
      [{ sub_id: { format: 'opaque', id: 'x'.repeat(256) } }, 400],
      [{ sub_id: { format: 'opaque', id: 'alice', sub: 'alice' } }, 400],
      ['{"sub_id":{"format":"opaque","id":"alice\\ud800"}}', 400],
      ['{"sub_id":{"format":"opaque","id":"bob","id":"alice"}}', 400],
      ['{"sub_id":{"format":"opaque","id":"bob","\\u0069d":"alice"}}', 400],
      ['{"sub_id":{"format":"opaque","id":"bob"},"sub_id":{"format":"opaque","id":"alice"}}', 400],
      [{ sub_id: { format: 'iss_sub', sub: 'alice' } }, 400],
      [{ sub_id: { format: 'iss_sub', iss: 'https://other.example', sub: 'alice' } }, 404],
      [{ sub_id: { format: 'iss_sub', iss: 7, sub: 'alice' } }, 404],
    ];
    for (const [body, status] of wrong) {
      expect(await errorOf(await post(body)), JSON.stringify(body)).to.deep.equal([status, 'invalid_request']);
    }
    const form = await post('sub_id=alice', asManager, 'application/x-www-form-urlencoded');
    expect(await errorOf(form)).to.deep.equal([400, 'invalid_request']);
    expect(await scene.service.client.verdict(pair.accessToken)).to.equal('active');
  });

  it('requires a client with that right, whatever else is wrong, and ends nothing', async () => {
    const pair = await scene.service.client.issue('alice');
    for (const headers of [{}, basic('manager', 'x'), basic('nobody', SECRET)]) {
      const response = await post(OPAQUE, headers);
      expect(response.headers.get('www-authenticate')).to.match(/^Basic /);
      expect(await errorOf(response)).to.deep.equal([401, 'invalid_client']);
    }
    expect(await errorOf(await post('{', basic('orders', SECRET)))).to.deep.equal([403, 'unauthorized_client']);
    expect(await errorOf(await scene.post('/oauth2/introspect', { token: 'x' }, asManager))).to.deep.equal([
      ...[400, 'unauthorized_client'],
    ]);
    expect(await scene.service.client.verdict(pair.accessToken)).to.equal('active');
  });

  it('answers 503 with a time to retry while the store cannot answer, and never that it is done', async () => {
    scene.service.flowing = false;
    const call = post(OPAQUE);
    await scene.service.held();
    scene.service.world.setReachable(false);
    scene.service.flowing = true;
    const response = await call;
    scene.service.world.setReachable(true);
    expect(response.status).to.equal(503);
    expect(Number(response.headers.get('retry-after'))).to.be.at.least(1);
  });

  it('is for no page of a browser, and shows no credential in the log', async () => {
    const preflight = await scene.ask(PATH, {
      ...{ method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } },
    });
    expect(preflight.headers.get('access-control-allow-origin')).to.equal(null);
    expect(scene.log.join('')).to.include('"client":"manager"').and.not.include(REVOKER).and.not.include(SECRET);
  });

  it('is not there without REVOKER_TOKEN', async () => {
    const without = await OAuthScene.start();
    try {
      expect((await without.post(PATH, {}, asManager)).status).to.equal(404);
    } finally {
      await without.stop();
    }
  });

  it('answers 503 where the service refuses the credential, and logs why', async () => {
    const other = await OAuthScene.start({ REVOKER_TOKEN: REVOKER });
    try {
      const response = await other.ask(PATH, {
        ...{ method: 'POST', body: JSON.stringify(OPAQUE) },
        headers: { 'content-type': 'application/json', ...asManager },
      });
      expect(response.status).to.equal(503);
      expect(other.log.join('')).to.include('unexpected response from the service').and.not.include(REVOKER);
    } finally {
      await other.stop();
    }
  });
});
