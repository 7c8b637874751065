// The gateway as a whole: it connects the parts, listens, and stops without interrupting a request.

import { lookup } from 'node:dns/promises';
import { AddressUnusable } from '../src/platform/address-unusable.js';
import { type Address, formatAddress } from '../src/platform/env.js';
import type { Logger } from '../src/platform/log.js';
import type { Meter } from '../src/platform/metrics/meter.js';
import { logGrpcTo } from '../src/platform/output/grpc-log.js';
import { Certificates } from '../src/platform/tls/certificates.js';
import type { TlsPeer } from '../src/platform/tls/channel.js';
import type { Tracing } from '../src/platform/tracing.js';
import { version } from '../src/platform/version.js';
import { createValidator, type Validator, type ValidatorOptions } from '../src/validator/index.js';
import { createApp } from './app.js';
import { AuthClient } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import { createClientErrorHandler } from './http/client-errors.js';
import { Connections } from './http/connections.js';
import { OpenResponses } from './http/open-responses.js';
import { trustedProxies } from './limits/client-address.js';
import { ConnectionLimits } from './limits/connection-limits.js';
import { openOAuth } from './open-oauth.js';
import { createCheck } from './routes/check.js';
import { ServiceConnection } from './service-connection.js';

/** The HTTP gateway. */
export interface Gateway {
  /**
   * Starts to listen. Does not wait for the service.
   * @returns the address, with the port that the system chose if the settings have port 0
   * @throws AddressUnusable
   */
  listen(): Promise<Address>;
  /** Serves on for a moment, accepts no more connections, waits for requests under way within the limit, and closes. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** A monotonic clock, ms. Default: the process's own. */
  readonly nowMs?: (() => number) | undefined;
  /** The wall clock, Unix ms. Default: the process's own. */
  readonly unixMs?: (() => number) | undefined;
  /** Undefined: nothing is measured. */
  readonly meter?: Meter | undefined;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** @throws TlsFileError */
export function createGateway(settings: GatewaySettings, log: Logger, options: GatewayOptions = {}): Gateway {
  const { nowMs = () => performance.now(), unixMs = Date.now, meter, tracing } = options;
  logGrpcTo(log);
  const { httpAddress, authServiceAddress, authServiceTls: tls, limits } = settings;
  const isTrustedProxy = trustedProxies(settings.trustProxy);
  const certificates = tls && new Certificates(tls.files, log);
  const peerAt = (host: string): TlsPeer | undefined =>
    certificates && { name: tls?.name ?? host, material: () => certificates.fresh() };
  let validator: Validator | undefined;
  const connection = new ServiceConnection(authServiceAddress, limits.callMs, peerAt(authServiceAddress.host));
  const client = new AuthClient(connection);
  const responses = new OpenResponses();
  const onClientError = createClientErrorHandler(log, responses);
  const check = createCheck((maxStalenessMs) => {
    validator ??= createValidator(validatorOptions(settings, maxStalenessMs));
    return validator;
  }, settings.check);
  const oauth = openOAuth(settings, { log, client, connection, peerAt });
  const app = createApp(settings, {
    ...{ log, client, check, oauth: oauth?.parts, isTrustedProxy, onClientError, nowMs, unixMs, meter, tracing },
    version: version(),
  });
  const connections = new Connections(app.server, {
    ...{ log, responses, pipelined: limits.pipelined, quietMs: limits.quietMs },
    limits: new ConnectionLimits(limits, isTrustedProxy, log),
  });
  let closed: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    oauth?.endStreams();
    await connections.beginDrain();
    const served = app.close();
    await connections.drain(limits.stopMs);
    await served;
    connection.close();
    oauth?.close();
    await validator?.close();
    certificates?.close();
  };

  return {
    async listen() {
      connection.connect();
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

/** The validator of the checks: it asks the same service as the gateway, by the same files. */
function validatorOptions(
  { authServiceAddress, authServiceTls: tls, limits }: GatewaySettings,
  maxStalenessMs: number | undefined,
): ValidatorOptions {
  const { cert, key, ca } = tls?.files ?? {};
  const files = { ...(ca === undefined ? {} : { ca }), ...(cert && key ? { cert, key } : {}) };
  return {
    address: formatAddress(authServiceAddress),
    deadline: limits.callMs,
    ...(maxStalenessMs === undefined ? {} : { maxStaleness: maxStalenessMs }),
    ...(tls ? { tls: { ...files, ...(tls.name === undefined ? {} : { name: tls.name }) } } : {}),
  };
}

/** Listens on one address of the host name. Fastify by itself makes a server, without our limits, for each. */
async function bind(app: ReturnType<typeof createApp>, { host, port }: Address): Promise<string> {
  try {
    const { address } = await lookup(host);
    await app.listen({ host: address, port });
    return address;
  } catch (error) {
    throw new AddressUnusable('HTTP_ADDRESS', { host, port }, error);
  }
}
