// TLS for gRPC clients: the roots, the client certificate, and clear texts for failed handshakes.

import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, credentials, type experimental } from '@grpc/grpc-js';
import { explainTls } from './failure.js';
import { MIN_TLS, type TlsMaterial } from './pem.js';

/** The expected identity of a server, and the material to verify it. */
export interface TlsPeer {
  /** The name or IP address that must be in its certificate. */
  readonly name: string;
  /** Called for each new connection, so that new files need no new channel. Without a CA, Node's own roots apply. */
  readonly material: () => TlsMaterial;
}

/** The credentials of a channel; plain text without a peer. */
export const channelCredentials = (peer: TlsPeer | undefined): ChannelCredentials =>
  peer ? new TlsChannelCredentials(peer) : credentials.createInsecure();

/**
 * The library's default credentials never change their secure context. Its credentials that follow files lose everything
 * while a file is missing, accept no roots except a file's, and print a warning for each IP address.
 */
class TlsChannelCredentials extends ChannelCredentials {
  readonly #peer: TlsPeer;

  constructor(peer: TlsPeer) {
    super();
    this.#peer = peer;
  }

  override _isSecure(): boolean {
    return true;
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
      connect: async (socket) => ({ socket: await secured(socket, this.#peer), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => calls,
      destroy: () => {},
    };
  }
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
