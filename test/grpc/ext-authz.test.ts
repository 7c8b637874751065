// Tests of Envoy's external authorization through the real wire: decisions, headers, and that doubt allows nothing.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { type Decision, ExtAuthzClient } from '../support/ext-authz-client.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { POLICY } from '../support/world.js';

const DENY = { unsureIsError: false, identityHeaders: ['latchkey'] } as const;
const OK = 0;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

describe('Envoy external authorization', () => {
  let scene: GrpcScene;
  let envoy: ExtAuthzClient;
  let token: string;
  let session: string;

  const start = async (options: Parameters<typeof GrpcScene.start>[0] = {}): Promise<void> => {
    scene = await GrpcScene.start({ extAuthz: DENY, ...options });
    envoy = new ExtAuthzClient(scene.address);
    const pair = await scene.client.issue('alice');
    token = pair.accessToken;
    session = pair.sessionId;
  };
  const bearer = (text: string, more: Record<string, string> = {}): Promise<Decision> =>
    envoy.check({ headers: { ...more, authorization: `Bearer ${text}` } });

  afterEach(async () => {
    envoy.close();
    await scene.stop();
  });

  it('allows an active token, and says whose it is', async () => {
    await start();
    for (let time = 0; time < 2; time++) {
      const decision = await bearer(token);
      expect(decision).to.include({ code: OK, kind: 'ok' });
      const expires = decision.headers['x-latchkey-expires'];
      expect(decision.headers).to.deep.equal({
        'x-latchkey-subject': 'alice',
        'x-latchkey-session': session,
        'x-latchkey-expires': expires,
      });
      expect(decision.metadata).to.deep.equal({
        subject: 'alice',
        session_id: session,
        expires_at: Number(expires),
      });
    }
  });

  it('removes what a server could take for its headers, and nothing else', async () => {
    await start();
    const { removed } = await bearer(token, {
      x_latchkey_subject: 'mallory',
      'x.latchkey-session': 'x',
      'x-other': 'y',
    });
    expect(removed).to.have.members(['x_latchkey_subject', 'x.latchkey-session']);
    expect((await bearer(token, { 'x-latchkey-subject': 'mallory' })).removed).to.deep.equal([]);
    const rawHeaders = [
      ['Authorization', `Bearer ${token}`],
      ['X_Latchkey_Subject', 'mallory'],
    ] as const;
    expect((await envoy.check({ rawHeaders })).removed).to.deep.equal(['X_Latchkey_Subject']);
  });

  it('adds the headers of other conventions where that is asked for', async () => {
    await start({ extAuthz: { ...DENY, identityHeaders: ['remote-user'] } });
    expect((await bearer(token)).headers).to.deep.equal({
      'remote-user': 'alice',
      'remote-groups': '',
      'remote-name': '',
      'remote-email': '',
    });
  });

  it('refuses a request without a token by 401, without an error in the challenge', async () => {
    await start();
    for (const decision of [await envoy.check({}), await envoy.checkNothing()]) {
      expect(decision).to.include({ code: UNAUTHENTICATED, kind: 'denied', httpStatus: 401 });
      expect(decision.headers['www-authenticate']).to.equal('Bearer realm="api"');
      expect(decision.headers['content-type']).to.equal('application/json');
    }
  });

  it('refuses two credentials, however Envoy sends them', async () => {
    await start();
    const line = `Bearer ${token}`;
    const twice = [
      await envoy.check({ headers: { authorization: `${line},${line}` } }),
      await envoy.check({
        rawHeaders: [
          ['authorization', line],
          ['Authorization', line],
        ],
      }),
    ];
    for (const decision of twice) {
      expect(decision).to.include({ code: UNAUTHENTICATED, kind: 'denied', httpStatus: 401 });
      expect(decision.headers['www-authenticate']).to.include('error="invalid_request"');
    }
    expect(await envoy.check({ rawHeaders: [['Authorization', line]] })).to.include({ code: OK });
  });

  it('refuses a token that is not active by 401, with its problem and the JSON body of the gateway', async () => {
    await start();
    await scene.client.logout({ accessToken: token });
    const revoked = await bearer(token);
    expect(revoked).to.include({ code: UNAUTHENTICATED, kind: 'denied', httpStatus: 401 });
    expect(revoked.headers['www-authenticate']).to.equal(
      'Bearer realm="api", error="invalid_token", error_description="REVOKED"',
    );
    expect(JSON.parse(revoked.body)).to.deep.equal({ detail: 'Token is blacklisted', code: 'token_not_valid' });
    for (const bad of ['nonsense', 'x'.repeat(9000), `${token}x`]) {
      expect(await bearer(bad)).to.include({ code: UNAUTHENTICATED, httpStatus: 401 });
    }
  });

  it('requires the audience of the route', async () => {
    await start({ policy: { ...POLICY, audience: ['orders', 'mail'] } });
    const headers = { authorization: `Bearer ${token}` };
    expect(await envoy.check({ headers, audience: 'orders' })).to.include({ code: OK });
    const other = await envoy.check({ headers, audience: 'payments' });
    expect(other).to.include({ code: UNAUTHENTICATED, httpStatus: 401 });
    expect(other.headers['www-authenticate']).to.include('WRONG_AUDIENCE');
  });

  it('answers 503 while the store cannot answer, and never 200 or 401', async () => {
    await start();
    scene.world.setReachable(false);
    scene.flowing = false;
    const call = bearer(token);
    await scene.held();
    scene.world.pending[0]?.fail();
    const decision = await call;
    expect(decision).to.include({ code: UNAVAILABLE, kind: 'denied', httpStatus: 503 });
    expect(Number(decision.headers['retry-after'])).to.be.at.least(1);
    expect(decision.headers).not.to.have.property('www-authenticate');
  });

  it('answers an error instead where the operator wants Envoy to decide', async () => {
    await start({ extAuthz: { ...DENY, unsureIsError: true } });
    scene.flowing = false;
    const call = bearer(token);
    await scene.held();
    scene.world.pending[0]?.fail();
    expect(await call).to.include({ code: UNAVAILABLE, kind: 'error', httpStatus: 503 });
  });

  it('is not served unless it is switched on', async () => {
    await start({ extAuthz: undefined });
    expect(await bearer(token).catch(({ code }) => code)).to.equal(status.UNIMPLEMENTED);
  });

  it('refuses a Check of more than 256 KiB before it is decoded', async () => {
    await start();
    const headers = { authorization: `Bearer ${token}`, cookie: 'x'.repeat(256 * 1024) };
    const refused = await envoy.check({ headers }).catch(({ code }) => code);
    expect(refused).to.equal(status.RESOURCE_EXHAUSTED);
    expect(await bearer(token, { cookie: 'x'.repeat(200 * 1024) })).to.include({ code: OK });
  });

  it('is one of the services that health reports', async () => {
    await start();
    const client = new TestClient(scene.address);
    expect(await client.health('envoy.service.auth.v3.Authorization')).to.equal('SERVING');
    client.close();
  });
});
