// Tests of the small server for operators' programs: its answers, and its bounds.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { AddressUnusable } from '../../src/platform/address-unusable.js';
import { jsonPage, type MakePage, PrivateServer } from '../../src/platform/private-server.js';
import { RecordingLog } from '../support/recording-log.js';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

describe('the server for operators', () => {
  const log = new RecordingLog();
  let server: PrivateServer;
  let url: string;
  before(async () => {
    const pages = new Map<string, MakePage>([
      ['/page', (accept) => jsonPage(200, { accept })],
      ['/broken', () => Promise.reject(new Error('secret words'))],
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

  it('refuses a head that is too large, and closes connections beyond its limit', async () => {
    expect((await ask('/page', { headers: { 'x-large': 'x'.repeat(9_000) } }))[0]).to.equal(431);
    const sockets: Socket[] = [];
    for (let n = 0; n < 80; n++) sockets.push(connect(server.address.port, '127.0.0.1').on('error', () => {}));
    const last = sockets.at(-1);
    // Closed by the server: nobody else ends it.
    if (last) await once(last, 'close');
    const open = sockets.filter(({ closed, destroyed }) => !closed && !destroyed);
    expect(open.length).to.be.within(1, 64);
    for (const socket of sockets) socket.destroy();
  });
});
