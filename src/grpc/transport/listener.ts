// A listening address: plain TCP, or TLS with certificates that may change while it listens.

import { lookup } from 'node:dns/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Address } from '../../platform/env.js';
import type { Certificates } from '../../platform/tls/certificates.js';
import { MIN_TLS, type TlsMaterial } from '../../platform/tls/pem.js';
import type { Connections } from './connections.js';
import type { LimitLog } from './limit-log.js';
import type { Route } from './routes.js';

export interface ListenerOptions {
  readonly address: Address;
  /** Undefined: plain text. */
  readonly certificates: Certificates | undefined;
  readonly handshakeTimeoutMs: number;
  readonly routes: ReadonlyMap<string, Route>;
  readonly connections: Connections;
  readonly limitLog: LimitLog;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #tls: TlsServer | undefined;
  readonly #servers: Server[] = [];
  /** The address by which each socket in its TLS handshake is counted, by its remote host and port. */
  readonly #shaking = new Map<string, string>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#tls = options.certificates && this.#makeTls(options.certificates);
  }

  /**
   * Listens on every address of a host name, all with one port. Skips an address that this machine does not have, but
   * not one that is in use: another process would get some of the calls.
   * @returns the port. @throws if no address is available, or one is in use
   */
  async listen(): Promise<number> {
    const { host } = this.#options.address;
    let { port } = this.#options.address;
    const faults: unknown[] = [];
    const found = await lookup(host, { all: true });
    for (const address of new Set(found.map((each) => each.address))) {
      try {
        port = await this.#listenOn(address, port);
      } catch (error) {
        if (isInUse(error)) {
          this.close();
          throw error;
        }
        faults.push(error);
      }
    }
    if (this.#servers.length === 0) throw faults[0];
    return port;
  }

  /** Accepts no more connections. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  #listenOn(host: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        // An accept failed, for example for lack of file descriptors. A later one may succeed.
        server.on('error', () => {});
        this.#servers.push(server);
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
      });
    });
  }

  #accept(socket: Socket): void {
    const { connections, routes } = this.#options;
    const address = connections.admit(socket);
    if (address === undefined) return;
    if (!this.#tls) return connections.serve(socket, address, routes);
    const key = endOf(socket);
    this.#shaking.set(key, address);
    socket.once('close', () => this.#shaking.delete(key));
    this.#tls.emit('connection', socket);
  }

  #makeTls(certificates: Certificates): TlsServer {
    const { current } = certificates;
    const asksClients = current.pem.ca !== undefined;
    const server = createTlsServer({
      ...secureContext(current),
      ALPNProtocols: ['h2'],
      handshakeTimeout: this.#options.handshakeTimeoutMs,
      requestCert: asksClients,
      rejectUnauthorized: asksClients,
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (_error, socket) => {
      this.#options.limitLog.count('handshake', endOf(socket));
      socket.destroy();
    });
    certificates.watch((material) => server.setSecureContext(secureContext(material)));
    return server;
  }

  #secured(socket: TLSSocket): void {
    const { connections, routes } = this.#options;
    const address = this.#shaking.get(endOf(socket));
    this.#shaking.delete(endOf(socket));
    socket.on('error', () => socket.destroy());
    if (address === undefined || socket.alpnProtocol !== 'h2') socket.destroy();
    else connections.serve(socket, address, routes);
  }
}

const isInUse = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

const secureContext = ({ pem }: TlsMaterial) => ({ ...pem, minVersion: MIN_TLS }) as const;
