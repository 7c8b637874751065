// The connections of gRPC clients: bounded handshakes, TLS with roots and client certificate, clear texts for failures.

import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';
import { explainTls } from './failure.js';
import { MIN_TLS, type TlsMaterial } from './pem.js';

/** The expected identity of a server, and the material to verify it. */
export interface TlsPeer {
  /** The name or IP address that must be in its certificate. */
  readonly name: string;
  /** Called for each new connection, so that new files need no new channel. Without a CA, Node's own roots apply. */
  readonly material: () => TlsMaterial;
}

/**
 * How long a server may take from the TCP connection until the first bytes of HTTP/2, TLS included, ms. The library
 * waits without end: after a connection to a server that vanished in between, it would never connect again.
 */
export const HANDSHAKE_MS = 2_000;

/** The credentials of a channel; plain text without a peer. */
export const channelCredentials = (peer: TlsPeer | undefined): ChannelCredentials => new BoundedCredentials(peer);

/**
 * The library's default credentials never change their secure context, and do not bound a handshake. Its credentials
 * that follow files lose everything while a file is missing, accept no roots except a file's, and print a warning for
 * each IP address.
 */
class BoundedCredentials extends ChannelCredentials {
  readonly #peer: TlsPeer | undefined;

  constructor(peer: TlsPeer | undefined) {
    super();
    this.#peer = peer;
  }

  override _isSecure(): boolean {
    return this.#peer !== undefined;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    calls: CallCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    return {
      connect: async (socket) => {
        const socketOfHttp2 = bound(socket);
        if (!this.#peer) return { socket: socketOfHttp2(socket), secure: false };
        return { socket: socketOfHttp2(await secured(socket, this.#peer)), secure: true };
      },
      waitForReady: async () => {},
      getCallCredentials: () => calls,
      destroy: () => {},
    };
  }
}

/**
 * Ends a connection on which HTTP/2 has not begun in time.
 * @returns a function to call with the socket that carries HTTP/2, once it is known; it returns that socket
 */
function bound(socket: Socket): (carrier: Socket) => Socket {
  let carrier: Socket | undefined;
  const check = (): void => {
    if (carrier !== undefined && carrier.bytesRead > 0) return;
    (carrier ?? socket).destroy(new Error(`no HTTP/2 handshake within ${HANDSHAKE_MS} ms`));
  };
  // After a turn in which bytes that have arrived are read: this process may have been paused.
  const timer = setTimeout(() => setImmediate(check), HANDSHAKE_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  return (known) => {
    carrier = known;
    return known;
  };
}

function secured(socket: Socket, { name, material }: TlsPeer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions = {
      ...material().pem,
      socket,
      host: name,
      minVersion: MIN_TLS,
      ALPNProtocols: ['h2'],
      // Explicit, because an environment variable of Node could switch it off.
      rejectUnauthorized: true,
      // An IP address is verified as `host`, and must not be sent as the server name (RFC 6066, section 3).
      ...(isIP(name) === 0 ? { servername: name } : {}),
    };
    const tls = connect(options, () => resolve(tls));
    tls.on('error', (error: Error) => {
      // The owner of the connection gets the same error object, and reports its message.
      error.message = explainTls(error) ?? error.message;
      reject(error);
    });
    tls.once('close', () => reject(new Error('it closed the connection during the TLS handshake')));
  });
}
