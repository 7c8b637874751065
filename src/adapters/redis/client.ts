// The setup of the driver: one client is one connection; it never reconnects, queues nothing and repeats nothing.

import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import { redisUrlFault } from './url.js';

/** PEM texts: the authorities to believe, and a certificate to show. Must not throw. */
export type TlsSource = () => Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;

/**
 * Makes the way to make clients, which are not connected yet.
 * @throws Error if the URL cannot be used; its text holds nothing of the URL, for there may be a password in it
 */
export function clientMaker(url: string, connectTimeoutMs: number, tls: TlsSource = () => ({})): () => Redis {
  const wanted = redisUrlFault(url);
  if (wanted !== undefined) throw new Error(`the URL of Redis cannot be used: wanted ${wanted}`);
  const options = {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: 'latchkey',
    // A polite end waits for the other side, which may be paused; and the driver waits even for one that is gone.
    disconnectTimeout: 0,
    // One that was lost is replaced, by us, after the server was looked at anew.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    // We look at more than it does, and within a time bound.
    enableReadyCheck: false,
    disableClientInfo: true,
    // The newer protocol brings us nothing, and costs old servers and proxies a failed greeting.
    protocol: 2,
  } as const satisfies RedisOptions;
  const model = new Redis(url, options);
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'rediss:') return () => model.duplicate();
  const strict: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    // Node would let its environment switch this off.
    rejectUnauthorized: true,
    // The driver does not send it, and some proxies go by it. An IP address must not be sent (RFC 6066, section 3).
    ...(isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: hostname } : {}),
  };
  return () => model.duplicate({ tls: { ...strict, ...tls() } });
}

/**
 * Connects, signs in, and looks around. Where the connection breaks meanwhile, what broke it is thrown: with TLS 1.3 a
 * certificate is refused only after the handshake.
 */
export async function connect(client: Redis, look: () => Promise<void>): Promise<void> {
  let failure: unknown;
  // The driver tells the cause by an event, not by the promise. It also carries on in database 0 where the one that
  // was asked for does not exist, and says so by the event alone.
  const note = (error: unknown) => {
    failure ??= error;
  };
  client.on('error', note);
  try {
    const connecting = client.connect();
    // The driver has made the socket by then, and listens for one error of it. Node emits a second one on a TLS socket
    // that has failed if an alert of the server comes after that, and it would end the process.
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
