// Owns how a gRPC client speaks TLS: whom it believes, what it shows, and the words for why it cannot connect.

import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, credentials, type experimental } from '@grpc/grpc-js';
import { explainTls } from './failure.js';
import { MIN_TLS, type TlsMaterial } from './pem.js';

/** The other side of a channel, and where to find what is needed to believe it. */
export interface TlsPeer {
  /** The name or IP address that its certificate must be for. */
  readonly name: string;
  /** Asked for each new connection, so that new files need no new channel. Without a CA the roots that Node knows count. */
  readonly material: () => TlsMaterial;
}

/** The credentials of a channel; plain text without a peer. */
export const channelCredentials = (peer: TlsPeer | undefined): ChannelCredentials =>
  peer ? new TlsChannelCredentials(peer) : credentials.createInsecure();

/**
 * The library's own credentials hold one secure context for life; those that follow files drop what they have while a
 * file is away, know no roots but a file's, and print a warning for each IP address.
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
      // Node would let its environment switch this off.
      rejectUnauthorized: true,
      // An IP address is checked as `host`, and must not be sent (RFC 6066, section 3).
      ...(isIP(name) === 0 ? { servername: name } : {}),
    };
    const tls = connect(options, () => resolve(tls));
    tls.on('error', (error: Error) => {
      // Whoever has the connection by then hears of the same error, and tells it by its message.
      error.message = explainTls(error) ?? error.message;
      reject(error);
    });
    tls.once('close', () => reject(new Error('it closed the connection during the TLS handshake')));
  });
}
