// The gateway as a whole: puts its parts together, begins to listen, and stops without cutting a request off.

import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { AddressUnusable } from '../src/address-unusable.js';
import type { Address } from '../src/env.js';
import type { Logger } from '../src/log.js';
import { logGrpcTo } from '../src/output/grpc-log.js';
import { Certificates } from '../src/tls/certificates.js';
import { createApp } from './app.js';
import { AuthClient } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import { Connections } from './http/connections.js';
import { trustIn } from './limits/client-address.js';
import { ConnectionLimits } from './limits/connection-limits.js';

/** The HTTP gateway. */
export interface Gateway {
  /**
   * Begins to listen; does not wait for the service.
   * @returns the address, with the port that the system chose where the settings have 0
   * @throws AddressUnusable
   */
  listen(): Promise<Address>;
  /** Serves on for a moment, then takes no more connections, lets requests under way finish within the limit, and closes all connections. */
  close(): Promise<void>;
}

/**
 * @param nowMs a clock that only goes forward; tests hand in one of their own
 * @throws TlsFileError
 */
export function createGateway(settings: GatewaySettings, log: Logger, nowMs = () => performance.now()): Gateway {
  logGrpcTo(log);
  const { httpAddress, authServiceAddress, authServiceTls: tls, limits } = settings;
  const trusts = trustIn(settings.trustProxy);
  const certificates = tls && new Certificates(tls.files, log);
  const peer = certificates && {
    name: tls?.name ?? authServiceAddress.host,
    material: () => certificates.fresh(),
  };
  const client = new AuthClient(authServiceAddress, limits.callMs, peer);
  const refuse = (error: NodeJS.ErrnoException, socket: Socket) => connections.refuse(error, socket);
  const app = createApp(settings, { log, client, trusts, refuse, nowMs });
  const connections = new Connections(app.server, log, new ConnectionLimits(limits, trusts, log), limits.pipelined);
  let closed: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    await connections.wane();
    const served = app.close();
    await connections.drain(limits.stopMs);
    await served;
    client.close();
    certificates?.close();
  };

  return {
    async listen() {
      client.connect();
      const address = await bind(app, httpAddress);
      const bound = app.server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : httpAddress.port;
      log.info({ address, port }, 'gateway listening');
      return { host: address, port };
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** Begins to listen. Of a name's addresses one is taken; left to itself, fastify makes a server, without our limits, for each. */
async function bind(app: ReturnType<typeof createApp>, { host, port }: Address): Promise<string> {
  try {
    const { address } = await lookup(host);
    await app.listen({ host: address, port });
    return address;
  } catch (error) {
    throw new AddressUnusable('HTTP_ADDRESS', { host, port }, error);
  }
}
