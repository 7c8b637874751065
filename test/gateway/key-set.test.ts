// Tests of how the gateway answers the public keys: as JSON that may be kept, under a tag, and failures never.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { failure } from '../support/scripted-auth-service.js';
import { RunningGateway } from './running-gateway.js';

const PATH = '/.well-known/jwks.json';
const NONE = { crv: '', x: '', y: '', n: '', e: '' };
const EC = { kty: 'EC', use: 'sig', alg: 'ES256', kid: 'one', crv: 'P-256', x: 'eeee', y: 'ffff' };
const RSA = { kty: 'RSA', use: 'sig', alg: 'RS256', kid: 'two', n: 'nnnn', e: 'AQAB' };

describe('gateway: GET /.well-known/jwks.json', () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await RunningGateway.start();
  });
  after(() => gateway.stop());
  beforeEach(() => {
    gateway.service.reset();
    gateway.service.keySet = {
      keys: [
        { ...NONE, ...EC },
        { ...NONE, ...RSA },
      ],
      maxAgeSeconds: 30,
    };
  });

  it('answers the keys without the members that they have not, and how long they may be kept', async () => {
    for (const path of [PATH, `${PATH}/`, `${PATH}?v=1`]) {
      const answer = await gateway.ask(path);
      expect(answer.status).to.equal(200);
      expect(JSON.parse(answer.text)).to.deep.equal({ keys: [EC, RSA] });
      expect(answer.headers.get('content-type')).to.equal('application/json');
      expect(answer.headers.get('cache-control')).to.equal('public, max-age=30');
      expect(answer.headers.get('etag')).to.match(/^"[\w-]{43}"$/);
    }
  });

  it('answers an empty set where there is no public key', async () => {
    gateway.service.keySet = { keys: [], maxAgeSeconds: 0 };
    const { text, headers } = await gateway.ask(PATH);
    expect(text).to.equal('{"keys":[]}');
    expect(headers.get('cache-control')).to.equal('public, max-age=0');
  });

  it('answers HEAD without a body, and other methods not at all', async () => {
    const head = await gateway.ask(PATH, { method: 'HEAD' });
    expect([head.status, head.text]).to.deep.equal([200, '']);
    expect(head.headers.get('etag')).to.equal((await gateway.ask(PATH)).headers.get('etag'));
    const post = await gateway.post(PATH, {});
    expect([post.status, post.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD, OPTIONS']);
    expect(post.headers.get('cache-control')).to.equal('no-store');
  });

  it('answers 304 to a client that has the set already, and the new one once it has changed', async () => {
    const etag = (await gateway.ask(PATH)).headers.get('etag') ?? '';
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const {
          status: code,
          text,
          headers,
        } = await gateway.ask(PATH, {
          method,
          headers: { 'if-none-match': tags },
        });
        expect([code, text], tags).to.deep.equal([304, '']);
        expect(headers.get('etag')).to.equal(etag);
        expect(headers.get('cache-control')).to.equal('public, max-age=30');
      }
    }
    for (const tags of ['"other"', etag.replaceAll('"', ''), '']) {
      expect((await gateway.ask(PATH, { headers: { 'if-none-match': tags } })).status, tags).to.equal(200);
    }
    gateway.service.keySet = { keys: [{ ...NONE, ...RSA }], maxAgeSeconds: 30 };
    const changed = await gateway.ask(PATH, { headers: { 'if-none-match': etag } });
    expect(changed.status).to.equal(200);
    expect(changed.headers.get('etag')).to.not.equal(etag);
  });

  it('answers a failure as any other, which no cache may keep', async () => {
    for (const code of [status.UNAVAILABLE, status.UNIMPLEMENTED, status.INTERNAL]) {
      gateway.service.script = () => {
        throw failure(code);
      };
      const answer = await gateway.ask(PATH);
      expect([answer.status, answer.headers.get('retry-after')]).to.deep.equal([503, '1']);
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      expect(answer.headers.has('etag')).to.equal(false);
    }
  });
});
