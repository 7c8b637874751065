// Tests of who may call the issuer: holders of any of its credentials, and clients whose certificate has a listed name.

import { expect } from 'chai';
import { namesIn } from '../../src/grpc/services/issuer-guard.js';
import { Secret } from '../../src/platform/env.js';
import { Certificates } from '../../src/platform/tls/certificates.js';
import { failureOfCall, type TestClient } from '../support/auth-client.js';
import type { Wish } from '../support/certificates.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { RecordingLog } from '../support/recording-log.js';
import { TlsScene } from '../support/tls-scene.js';

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(33)];
const REVOKER = 'r'.repeat(32);
const NAMES = ['login.internal', 'spiffe://internal/login'];

describe('the issuer', () => {
  let tls: TlsScene;
  let scene: GrpcScene;
  let certificates: Certificates;
  before(async () => {
    tls = new TlsScene();
    certificates = new Certificates(tls.files({ asksClients: true }), new RecordingLog());
    const credentials = [new Secret(OLD), new Secret(NEW)];
    const revokers = [new Secret(REVOKER)];
    const issuer = { credentials, revokers, clientNames: NAMES, address: undefined };
    scene = await GrpcScene.start({ certificates, issuer });
  });
  after(async () => {
    certificates.close();
    await scene.stop();
    tls.clear();
  });

  const clientWith = (wish: Wish): TestClient => tls.client(scene.address, tls.authority.issue(wish));
  const isServed = async (wish: Wish, credential = ''): Promise<boolean> => {
    const client = clientWith(wish);
    const call = client.issue('alice', undefined, credential);
    if (
      await call.then(
        () => true,
        () => false,
      )
    )
      return true;
    const failure = await failureOfCall(call);
    expect(failure.code).to.equal('UNAUTHENTICATED');
    expect(failure.message).to.include('ISSUER_TOKEN').and.include('ISSUER_CLIENT_NAMES');
    return false;
  };

  it('serves a caller with any of its credentials, and none with another', async () => {
    expect(await isServed({}, OLD)).to.equal(true);
    expect(await isServed({}, NEW)).to.equal(true);
    for (const wrong of ['', OLD.slice(1), `${OLD}o`, `${OLD},${NEW}`, `${OLD} `, NEW.toUpperCase()]) {
      expect(await isServed({}, wrong), wrong).to.equal(false);
    }
  });

  it('serves RevokeSubject alone to who shows the credential for that', async () => {
    await clientWith({}).revokeSubject('alice', REVOKER);
    expect(await isServed({}, REVOKER)).to.equal(false);
    for (const wrong of ['', `${REVOKER}r`]) {
      const failure = await failureOfCall(clientWith({}).revokeSubject('alice', wrong));
      expect(failure.code).to.equal('UNAUTHENTICATED');
    }
  });

  it('serves without a credential, or with a wrong one, whose certificate has a listed name', async () => {
    expect(await isServed({ names: ['DNS:login.internal'] })).to.equal(true);
    expect(await isServed({ names: ['URI:spiffe://internal/login'] })).to.equal(true);
    expect(await isServed({ names: ['DNS:other.internal', 'IP:127.0.0.1', 'DNS:login.internal'] }, 'wrong')).to.equal(
      true,
    );
    await clientWith({ names: ['DNS:login.internal'] }).revokeSubject('alice', '');
  });

  it('takes names to the letter: no part, no other case, no wildcard, no other kind', async () => {
    const others = [
      'DNS:ogin.internal',
      'DNS:login.interna',
      'DNS:a.login.internal',
      'DNS:login.internal.example',
      'DNS:login.internal.',
      'DNS:LOGIN.internal',
      'DNS:*.internal',
      'URI:login.internal',
      'URI:spiffe://internal/login/',
      'URI:spiffe://internal/logi',
      'DNS:spiffe://internal/login',
      'DNS:',
    ];
    for (const name of others) expect(await isServed({ names: [name] }), name).to.equal(false);
  });

  it('is not fooled by names with odd characters', async () => {
    const odd = [
      'DNS:x, DNS:login.internal',
      'DNS:x,DNS:login.internal',
      'DNS:x", DNS:login.internal, DNS:"',
      'DNS:login.internal\0.example',
      'DNS:login.internal\n',
      'DNS: login.internal',
      'DNS:login.internal, ',
      'URI:x\\", URI:spiffe://internal/login',
      'DNS:lögin.internal',
    ];
    for (const name of odd) expect(await isServed({ names: [name] }), JSON.stringify(name)).to.equal(false);
    expect(await isServed({ names: ['DNS:x, DNS:y', 'DNS:login.internal'] })).to.equal(true);
  });

  it('does not look at the common name', async () => {
    expect(await isServed({ commonName: 'login.internal' })).to.equal(false);
    expect(await isServed({ commonName: 'x, DNS:login.internal', names: ['DNS:other.internal'] })).to.equal(false);
  });

  it('leaves AuthService to every client that is let in', async () => {
    const client = clientWith({ names: ['DNS:other.internal'] });
    const pair = await clientWith({ names: ['DNS:login.internal'] }).issue('bob', undefined, '');
    expect(await client.verdict(pair.accessToken)).to.equal('active');
    await client.logout({ refreshToken: (await client.refresh(pair.refreshToken)).refreshToken });
  });
});

describe("the names of a certificate, in Node's words", () => {
  it('are separated by what is in quotes and what is not', () => {
    expect(namesIn('DNS:a, IP Address:127.0.0.1, URI:spiffe://b/c')).to.deep.equal([
      'DNS:a',
      'IP Address:127.0.0.1',
      'URI:spiffe://b/c',
    ]);
    expect(namesIn(String.raw`DNS:"a\u002c DNS:b", DNS:c`)).to.deep.equal(['DNS:c']);
    expect(namesIn('')).to.deep.equal([]);
  });

  it('are none where anything is not understood', () => {
    for (const text of ['DNS:a, b', 'DNS:a,DNS:b', 'DNS:"a, DNS:b', 'DNS:a", DNS:b', 'DNS:"a"b, DNS:c']) {
      expect(namesIn(text), text).to.deep.equal([]);
    }
  });
});
