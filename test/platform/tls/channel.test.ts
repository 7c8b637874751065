// Tests of the connections of gRPC clients: one whose server stays silent is given up, and the client connects again.

import { once } from 'node:events';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { Channel, connectivityState } from '@grpc/grpc-js';
import { expect } from 'chai';
import { channelCredentials, HANDSHAKE_MS, type TlsPeer } from '../../../src/platform/tls/channel.js';
import { Authority } from '../../support/certificates.js';

const authority = new Authority('silent');
const { cert, key } = authority.issue({ names: ['DNS:silent'] });
const PEER: TlsPeer = { name: 'silent', material: () => ({ pem: { ca: authority.cert } }) as never };
/** What a new attempt may take on a busy machine, ms. */
const SLACK_MS = 8_000;

interface Silent {
  readonly server: Server;
  /** Emitted for each connection that the server has accepted, with TLS after the handshake. */
  readonly event: 'connection' | 'secureConnection';
  readonly peer: TlsPeer | undefined;
}

const CASES: Readonly<Record<string, () => Silent>> = {
  'in plain text': () => ({ server: createTcp(), event: 'connection', peer: undefined }),
  'before a TLS handshake': () => ({ server: createTcp(), event: 'connection', peer: PEER }),
  'after a TLS handshake': () => ({
    server: createTls({ cert, key, ALPNProtocols: ['h2'] }),
    event: 'secureConnection',
    peer: PEER,
  }),
};

describe('a gRPC client whose server accepts connections and sends nothing', () => {
  for (const [title, make] of Object.entries(CASES)) {
    it(`connects anew, ${title}`, async function () {
      this.timeout(HANDSHAKE_MS + 2 * SLACK_MS);
      const { server, event, peer } = make();
      const sockets: Socket[] = [];
      server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const channel = new Channel(target, channelCredentials(peer), { 'grpc.use_local_subchannel_pool': 1 });
      try {
        const connected = once(server, event);
        channel.getConnectivityState(true);
        await connected;
        expect(channel.getConnectivityState(true)).to.equal(connectivityState.CONNECTING);
        const signal = AbortSignal.timeout(HANDSHAKE_MS + SLACK_MS);
        const retry = setInterval(() => channel.getConnectivityState(true), 50);
        await once(server, event, { signal }).finally(() => clearInterval(retry));
      } finally {
        channel.close();
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    });
  }
});
