// The setup of the ioredis client: one client is one connection; it never reconnects, queues or repeats a command.

import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import { redisUrlFault } from './url.js';

/** PEM texts: the trusted CAs, and the client certificate. Must not throw. */
export type TlsSource = () => Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;

/**
 * Creates a factory of clients, which are not connected yet.
 * @throws Error if the URL is invalid; its text holds no part of the URL, which may hold a password
 */
export function clientMaker(url: string, connectTimeoutMs: number, tls: TlsSource = () => ({})): () => Redis {
  const wanted = redisUrlFault(url);
  if (wanted !== undefined) throw new Error(`the URL of Redis is invalid: expected ${wanted}`);
  const options = {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: 'latchkey',
    // A graceful end waits for the server, which may be paused; the driver waits even for a server that is gone.
    disconnectTimeout: 0,
    // `Connection` replaces a lost client, and checks the server again.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    // Our own check covers more, within a time limit.
    enableReadyCheck: false,
    disableClientInfo: true,
    // RESP3 has no benefit here, and its HELLO fails on old servers and proxies.
    protocol: 2,
  } as const satisfies RedisOptions;
  const model = new Redis(url, options);
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'rediss:') return () => model.duplicate();
  const strict: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED could switch this off.
    rejectUnauthorized: true,
    // The driver sends no SNI, and some proxies need it. An IP address must not be sent (RFC 6066, section 3).
    ...(isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: hostname } : {}),
  };
  return () => model.duplicate({ tls: { ...strict, ...tls() } });
}

/**
 * Connects, authenticates, and runs a check. If the connection breaks during the check, the cause is thrown: with TLS
 * 1.3 the server refuses a certificate only after the handshake.
 */
export async function connect(client: Redis, look: () => Promise<void>): Promise<void> {
  let failure: unknown;
  // The driver reports the cause by an event, not by the promise. If the database number does not exist, it continues
  // in database 0, and reports that by the event alone.
  const note = (error: unknown) => {
    failure ??= error;
  };
  client.on('error', note);
  try {
    const connecting = client.connect();
    // By then the driver has created the socket, and listens for one error. If a server's alert follows a failed TLS
    // handshake, Node emits a second error, which would end the process.
    setImmediate(() => client.stream?.on('error', () => {}));
    await connecting;
  } catch (error) {
    throw failure ?? error;
  }
  if (failure !== undefined) throw failure;
  try {
    await look();
  } catch (error) {
    throw error instanceof Error && error.message === 'Connection is closed.' ? (failure ?? error) : error;
  }
}
