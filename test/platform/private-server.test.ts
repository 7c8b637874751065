// Tests of the small server for operators' programs: its answers, and its bounds.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { AddressUnusable } from '../../src/platform/address-unusable.js';
import { jsonPage, type MakePage, PrivateServer } from '../../src/platform/private-server.js';
import { RecordingLog } from '../support/recording-log.js';
import { until } from '../support/waiting.js';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

describe('the server for operators', () => {
  const log = new RecordingLog();
  let server: PrivateServer;
  let url: string;
  /** Each answers one request to `/slow`. */
  const slow: (() => void)[] = [];
  before(async () => {
    const pages = new Map<string, MakePage>([
      ['/page', (accept) => jsonPage(200, { accept })],
      ['/broken', () => Promise.reject(new Error('secret words'))],
      ['/slow', () => new Promise((resolve) => slow.push(() => resolve(jsonPage(200, {}))))],
    ]);
    server = await PrivateServer.listen({ variable: 'X_ADDRESS', address: ANYWHERE, pages, log });
    url = `http://127.0.0.1:${server.address.port}`;
  });
  after(() => server.close());

  const ask = async (path: string, init: RequestInit = {}): Promise<readonly [number, string]> => {
    const response = await fetch(url + path, init);
    return [response.status, await response.text()];
  };

  it('serves its pages to GET and HEAD, whatever the query, and nothing else', async () => {
    const headers = { accept: 'text/x' };
    expect(await ask('/page?x=1', { headers })).to.deep.equal([200, '{"accept":"text/x"}\n']);
    expect(await ask('/page', { method: 'HEAD' })).to.deep.equal([200, '']);
    expect((await ask('/page', { method: 'POST', body: 'x' }))[0]).to.equal(405);
    expect((await ask('/'))[0]).to.equal(404);
    expect((await ask('/page/'))[0]).to.equal(404);
  });

  it('answers 500 without the reason if a page cannot be made, and logs it', async () => {
    const [status, text] = await ask('/broken');
    expect(status).to.equal(500);
    expect(text).not.to.include('secret words');
    expect(log.lines.filter(({ message }) => message === 'a page for monitoring could not be made')).to.have.length(1);
  });

  it('names the setting of an address where it cannot listen', async () => {
    const again = PrivateServer.listen({ variable: 'X_ADDRESS', address: server.address, pages: new Map(), log });
    const error = await again.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AddressUnusable);
    expect(String(error)).to.include('X_ADDRESS').and.to.include('EADDRINUSE');
  });

  it('refuses a head that is too large', async () => {
    expect((await ask('/page', { headers: { 'x-large': 'x'.repeat(9_000) } }))[0]).to.equal(431);
  });

  describe('with its connections taken', () => {
    const sockets: Socket[] = [];
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy();
    });

    /** Connects, and sends a text. */
    function send(text: string): Socket {
      const socket = connect(server.address.port, '127.0.0.1').on('error', () => {});
      socket.write(text);
      sockets.push(socket);
      return socket;
    }

    it('serves a new one, in place of the oldest without a whole request, and keeps no more than its limit', async () => {
      const [first] = Array.from({ length: 80 }, () => send('GET /page HTTP/1.1\r\nhost: x\r\nx-slow: '));
      // Closed by the server: no other closes it.
      if (first) await once(first, 'close');
      expect(await ask('/page')).to.have.property('0', 200);
      const open = sockets.filter(({ closed, destroyed }) => !closed && !destroyed);
      expect(open.length).to.be.within(1, 64);
    });

    it('keeps those whose request is under way, and closes the new one', async () => {
      const waiting = Array.from({ length: 64 }, () => send('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'));
      await until(() => slow.length === 64);
      const late = send('GET /page HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(late, 'close');
      expect(late.bytesRead).to.equal(0);
      const answers = waiting.map((socket) => once(socket, 'data'));
      for (const answer of slow.splice(0)) answer();
      for (const [data] of await Promise.all(answers)) expect(String(data)).to.include('HTTP/1.1 200');
    });
  });

  it('closes a connection whose head does not end in time', async () => {
    const limits = { requestMs: 200, checkMs: 50 };
    const strict = await PrivateServer.listen({
      variable: 'X_ADDRESS',
      address: ANYWHERE,
      pages: new Map(),
      log,
      limits,
    });
    const socket = connect(strict.address.port, '127.0.0.1');
    socket.write('GET /page HTTP/1.1\r\nhost: x\r\nx-slow: ');
    const [data] = await once(socket, 'data');
    expect(String(data)).to.include('HTTP/1.1 408');
    socket.destroy();
    strict.close();
  });
});
