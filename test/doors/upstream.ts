// The server behind the proxies: it answers everything, and keeps the head of each request by its path.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Names and values in turn, as received. */
export type Head = readonly string[];

export class Upstream {
  readonly #server: Server;
  readonly #heads = new Map<string, Head>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', ({ url = '', rawHeaders }, response) => {
      this.#heads.set(url, rawHeaders);
      response.end('orders');
    });
  }

  static async start(): Promise<Upstream> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Upstream(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The head of the request for a path; undefined: none has arrived. */
  head(path: string): Head | undefined {
    return this.#heads.get(path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
