// Real Redis servers that speak TLS on a port of their own, beside the plain one that tests look in by.

import { freePort } from './free-ports.js';
import { RedisServer } from './redis-server.js';
import type { TlsScene } from './tls-scene.js';

export interface TlsRedis {
  readonly server: RedisServer;
  readonly tlsPort: number;
}

/** @param asksClients whether only those who show a certificate are let in */
export async function startTlsRedis({ server, ca }: TlsScene, asksClients: 'yes' | 'no'): Promise<TlsRedis> {
  const tlsPort = await freePort();
  const files = ['--tls-cert-file', server.cert, '--tls-key-file', server.key, '--tls-ca-cert-file', ca];
  const options = ['--tls-port', `${tlsPort}`, ...files, '--tls-auth-clients', asksClients];
  return { server: await RedisServer.start(...options), tlsPort };
}
