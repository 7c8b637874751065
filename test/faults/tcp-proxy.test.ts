// Tests of the proxy that the tests use: each of its faults takes effect.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { TcpProxy } from '../support/tcp-proxy.js';
import { holdsFor, until } from '../support/waiting.js';

describe('the proxy of the tests', () => {
  let server: Server;
  let arrived: string;
  let proxy: TcpProxy;
  const clients: Client[] = [];
  beforeEach(async () => {
    arrived = '';
    // Answers each text with itself.
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        arrived += bytes;
        socket.write(bytes);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.start((server.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.stop();
    server.close();
  });

  interface Client {
    readonly socket: Socket;
    /** What was answered so far, and how it ended: `end`, an error's code, or nothing. */
    text: string;
    over: string;
  }

  async function open(): Promise<Client> {
    const socket = connect(proxy.port, '127.0.0.1');
    const client: Client = { socket, text: '', over: '' };
    clients.push(client);
    socket.on('data', (bytes) => {
      client.text += bytes;
    });
    socket.on('end', () => {
      client.over = 'end';
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      client.over = error.code ?? '';
    });
    await once(socket, 'connect');
    return client;
  }

  it('hands on what it gets, both ways, and the end of it', async () => {
    const client = await open();
    client.socket.end('a');
    await until(() => client.over === 'end', 30_000);
    expect([arrived, client.text]).to.deep.equal(['a', 'a']);
  });

  it('delays answers, in their order', async () => {
    const client = await open();
    proxy.delay(100);
    const startMs = performance.now();
    client.socket.write('a');
    await until(() => arrived === 'a', 30_000);
    await until(() => proxy.received.down === 1);
    proxy.delay(0);
    client.socket.write('b');
    await until(() => client.text === 'ab', 30_000);
    expect(performance.now() - startMs).to.be.above(95);
  });

  it('loses answers alone: the server gets the request, no answer arrives, and the connection stays mute afterwards', async () => {
    const client = await open();
    proxy.drop('down');
    client.socket.write('a');
    await until(() => proxy.received.down === 1);
    proxy.mend();
    client.socket.write('b');
    await until(() => proxy.received.down === 2);
    const other = await open();
    other.socket.write('c');
    await until(() => other.text === 'c', 30_000);
    expect([client.text, client.over]).to.deep.equal(['', '']);
  });

  it('holds back what is sent until it is mended', async () => {
    const client = await open();
    proxy.hold();
    client.socket.write('a');
    await until(() => proxy.received.up === 1);
    await holdsFor(30, () => {
      expect(arrived).to.equal('');
    });
    proxy.mend();
    await until(() => client.text === 'a', 30_000);
  });

  it('cuts with a reset, and resets where there is no server', async () => {
    const client = await open();
    client.socket.write('a');
    await until(() => client.text === 'a', 30_000);
    proxy.cut();
    await until(() => client.over === 'ECONNRESET', 30_000);
    server.close();
    const later = await open();
    await until(() => later.over === 'ECONNRESET', 30_000);
  });
});
