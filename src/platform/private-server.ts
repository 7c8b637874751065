// A small HTTP server for the operator's own programs: fixed pages at an address of their own, which no client reaches.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AddressUnusable } from './address-unusable.js';
import { ClosingOrder } from './closing-order.js';
import type { Address } from './env.js';
import type { Logger } from './logger.js';

/** The most connections. Some scrapers and probes need one each. */
const MOST_CONNECTIONS = 64;
const MOST_HEADER_BYTES = 8 * 1024;
/** How long a request may take to arrive; how often that is checked, instead of Node's 30 s. */
const ARRIVAL: ArrivalLimits = { requestMs: 5_000, checkMs: 1_000 };
/** How long a response may wait to be read, ms. */
const IDLE_MS = 10_000;

interface ArrivalLimits {
  readonly requestMs: number;
  readonly checkMs: number;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** @param accept the header of the request */
export type MakePage = (accept: string | undefined) => Page | Promise<Page>;

export const jsonPage = (status: number, body: Readonly<Record<string, unknown>>): Page => ({
  status,
  contentType: 'application/json',
  text: `${JSON.stringify(body)}\n`,
});

const NOT_FOUND = jsonPage(404, { detail: 'Not found.' });
const NOT_ALLOWED = jsonPage(405, { detail: 'Only GET and HEAD are allowed.' });
const FAILED = jsonPage(500, { detail: 'The page could not be made. The log has the cause.' });

export interface PrivateServerOptions {
  /** The setting that holds the address. */
  readonly variable: string;
  readonly address: Address;
  /** The pages by path. */
  readonly pages: ReadonlyMap<string, MakePage>;
  readonly log: Pick<Logger, 'error'>;
  readonly limits?: ArrivalLimits;
}

export class PrivateServer {
  readonly #server: Server;
  /** With the port that the system chose, if the setting has port 0. */
  readonly address: Address;

  private constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
  }

  /** @throws AddressUnusable */
  static listen({ variable, address, pages, log, limits = ARRIVAL }: PrivateServerOptions): Promise<PrivateServer> {
    const { requestMs, checkMs } = limits;
    const server = createServer(
      {
        maxHeaderSize: MOST_HEADER_BYTES,
        headersTimeout: requestMs,
        requestTimeout: requestMs,
        connectionsCheckingInterval: checkMs,
      },
      (request, response) => void answer(request, response, pages, log),
    );
    server.timeout = IDLE_MS;
    limitConnections(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(new AddressUnusable(variable, address, error)));
      server.listen(address.port, address.host, () => {
        const bound = server.address();
        const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
        resolve(new PrivateServer(server, { ...address, port }));
      });
    });
  }

  /** Accepts no more connections, and closes those that are open. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/**
 * At the limit, closes the longest idle connection to make room for a new one, so that connections without a request
 * keep no probe out. Closes the new one only if all others have a request under way.
 */
function limitConnections(server: Server): void {
  const connections = new ClosingOrder<Socket>();
  server.on('connection', (socket) => {
    if (connections.size >= MOST_CONNECTIONS) {
      const { spare } = connections;
      (spare ?? socket).destroy();
      if (!spare) return;
      connections.close(spare);
    }
    connections.open(socket);
    socket.once('close', () => connections.close(socket));
  });
  server.on('request', ({ socket }, response) => {
    connections.requested(socket);
    response.once('close', () => connections.answered(socket));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: PrivateServerOptions['pages'],
  log: Pick<Logger, 'error'>,
): Promise<void> {
  const { status, contentType, text } = await pageFor(request, pages, log);
  const headers = {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  };
  response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : text);
}

async function pageFor(
  { url = '', method, headers }: IncomingMessage,
  pages: PrivateServerOptions['pages'],
  log: Pick<Logger, 'error'>,
): Promise<Page> {
  const make = pages.get(url.replace(/\?.*$/s, ''));
  if (!make) return NOT_FOUND;
  if (method !== 'GET' && method !== 'HEAD') return NOT_ALLOWED;
  try {
    return await make(headers.accept);
  } catch (err) {
    log.error({ err }, 'a page for monitoring could not be made');
    return FAILED;
  }
}
