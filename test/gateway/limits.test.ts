// Tests that no client can take more than its share of bytes and of time.

import { once } from 'node:events';
import { expect } from 'chai';
import { elapse } from '../support/waiting.js';
import { REFRESH, RunningGateway, readAll, requestBegun } from './running-gateway.js';

const HEAD = `POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n`;

/** That an answer is written by us, not by Node: none may be stored. */
function expectRaw(answer: string, code: number, detail: string): void {
  expect(answer).to.match(new RegExp(`^HTTP/1\\.1 ${code} `));
  expect(answer).to.match(/\r\ncache-control: no-store\r\n/i);
  expect(answer).to.match(/\r\ncontent-type: application\/json\r\n/i);
  expect(answer.endsWith(`{"detail":"${detail}"}`), answer).to.equal(true);
  expect(answer.match(/HTTP\/1\.1 /g)).to.have.length(1);
}

describe('gateway: limits', function () {
  this.timeout(120_000);
  let gateway: RunningGateway;
  before(async () => {
    const limits = { headersMs: 300, requestMs: 500, keepAliveMs: 400, checkEveryMs: 50 };
    gateway = await RunningGateway.start({ limits });
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  it('takes a body of 16 KiB and refuses one byte more', async () => {
    const fitting = `{"refresh":"r","pad":"${'x'.repeat(16 * 1024 - 24)}"}`;
    expect(fitting).to.have.length(16 * 1024);
    expect((await gateway.post(REFRESH, fitting)).status).to.equal(200);
    const { status, text, headers } = await gateway.post(REFRESH, `${fitting} `);
    const answer = '{"detail":"Request body too large: at most 16384 bytes are accepted."}';
    expect([status, text]).to.deep.equal([413, answer]);
    expect(headers.get('cache-control')).to.equal('no-store');
  });

  it('refuses a large body without a length', async () => {
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
    const answer = await gateway.raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`);
    expectRaw(answer, 413, 'Request body too large: at most 16384 bytes are accepted.');
  });

  it('refuses headers over 16 KiB', async () => {
    const answer = await gateway.raw(`${HEAD}X-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    expectRaw(answer, 431, 'Request headers too large.');
  });

  it('refuses what is not HTTP', async () => {
    expectRaw(await gateway.raw('HELLO\r\n\r\n'), 400, 'Malformed request.');
  });

  it('gives no answer to garbage behind a request whose own answer is owed', async () => {
    gateway.service.script = () => elapse(100, 'a slow call');
    const body = '{"refresh":"r"}';
    expect(await gateway.raw(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}GARBAGE\r\n\r\n`)).to.equal('');
  });

  it('refuses a request with two lengths', async () => {
    const answer = await gateway.raw(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    expectRaw(answer, 400, 'Malformed request.');
  });

  it('refuses a request without a host', async () => {
    const answer = await gateway.raw('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
    expectRaw(answer, 400, 'Host header is missing.');
  });

  it('refuses a request with two hosts, in whatever case', async () => {
    const answer = await gateway.raw('GET /healthz HTTP/1.1\r\nHost: a\r\nHOST: b\r\nConnection: close\r\n\r\n');
    expectRaw(answer, 400, 'More than one Host header.');
  });

  it('takes no value for the name of a header', async () => {
    const answer = await gateway.raw('GET /healthz HTTP/1.1\r\nHost: host\r\nX-A: host\r\nConnection: close\r\n\r\n');
    expect(answer).to.match(/^HTTP\/1\.1 200 /);
  });

  it('refuses an expectation that it does not know', async () => {
    const answer = await gateway.raw(`${HEAD}Expect: wonders\r\nContent-Length: 0\r\n\r\n`);
    expect(answer).to.match(/^HTTP\/1\.1 417 /);
    expect(answer).to.match(/\r\ncache-control: no-store\r\n/i);
  });

  it('ends a connection that sends nothing', async () => {
    const begun = performance.now();
    expectRaw(await gateway.raw(''), 408, 'Request took too long to arrive.');
    expect(performance.now() - begun).to.be.within(250, 1500);
  });

  it('ends a connection whose headers come too slowly, long before a body would have to be there', async () => {
    const patient = await RunningGateway.start({ limits: { headersMs: 300, requestMs: 15_000, checkEveryMs: 50 } });
    const begun = performance.now();
    const socket = await patient.connect();
    const answer = readAll(socket);
    socket.write(`POST ${REFRESH} HTTP/1.1\r\n`);
    const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 50);
    expectRaw(await answer, 408, 'Request took too long to arrive.');
    clearInterval(drip);
    expect(performance.now() - begun).to.be.below(8_000);
    await patient.stop();
  });

  it('ends a connection whose body comes too slowly', async () => {
    const socket = await gateway.connect();
    const answer = readAll(socket);
    socket.write(`${HEAD}Content-Length: 1000\r\n\r\n{`);
    const drip = setInterval(() => socket.write(' '), 50);
    expectRaw(await answer, 408, 'Request took too long to arrive.');
    clearInterval(drip);
    expect(gateway.service.calls).to.be.empty;
  });

  it('ends a connection that is idle', async () => {
    const begun = performance.now();
    const answer = await gateway.raw('GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(answer).to.match(/^HTTP\/1\.1 404 /);
    expect(performance.now() - begun).to.be.below(3_000);
  });

  it('keeps an idle connection, which is not one that hangs with something under way', async () => {
    const patient = await RunningGateway.start({ limits: { keepAliveMs: 8_000, stalledMs: 400 } });
    const socket = await patient.connect();
    const all = readAll(socket);
    const request = 'GET /nowhere HTTP/1.1\r\nHost: h\r\n';
    socket.write(`${request}\r\n`);
    await once(socket, 'data');
    await elapse(1_000, 'longer than a request may stall');
    socket.write(`${request}Connection: close\r\n\r\n`);
    expect((await all).match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 404', 'HTTP/1.1 404']);
    await patient.stop();
  });

  for (const [what, rest] of [
    ['comes too slowly', '{'],
    ['is not what it should be', 'GARBAGE\r\n\r\n'],
  ]) {
    it(`gives one answer alone to a request that it refuses before its body, which then ${what}`, async () => {
      const type = 'Content-Type: application/json\r\n';
      const length = rest === '{' ? 'Content-Length: 1000000' : 'Transfer-Encoding: chunked';
      const begun = performance.now();
      const socket = await gateway.connect();
      const all = readAll(socket);
      socket.write(`POST /nope HTTP/1.1\r\nHost: h\r\n${type}${length}\r\n\r\n`);
      await once(socket, 'data');
      socket.write(`${rest}`);
      const answer = await all;
      expect(answer).to.match(/^HTTP\/1\.1 404 /);
      expect(answer.match(/HTTP\/1\.1 /g)).to.have.length(1);
      expect(performance.now() - begun).to.be.below(2_000);
    });
  }

  it('still says why to a request that comes too slowly behind one that is answered', async () => {
    const answer = await gateway.raw(
      `POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}${HEAD}Content-Length: 9\r\n\r\n{`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 404', 'HTTP/1.1 408']);
  });

  it('survives a client that goes away in the middle of a body', async () => {
    const socket = await gateway.connect();
    socket.on('error', () => {});
    const before = gateway.log.length;
    const begun = requestBegun();
    socket.write(`${HEAD}Content-Length: 1000\r\n\r\n{`);
    await begun;
    socket.resetAndDestroy();
    await gateway.logged(before, '/api/auth/token/refresh');
    expect((await gateway.ask('/healthz')).status).to.equal(200);
  });
});
