// A gateway and an API in one HTTP server, whose answers a test writes, and whose requests are on record.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface Scripted {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const REFRESH = '/api/auth/token/refresh/';
export const LOGOUT = '/api/auth/logout/';

/** An access token as far as the browser library reads it. */
export function accessToken(lifeSeconds: number, name = 'a'): string {
  const iat = 1_700_000_000;
  const payload = Buffer.from(JSON.stringify({ iat, exp: iat + lifeSeconds, name: `${name}ÿ?>` })).toString(
    'base64url',
  );
  return `e30.${payload}.${name}`;
}

export class ScriptedGateway {
  readonly #server: Server;
  readonly requests: Seen[] = [];
  /** Answers a request, once the promise is settled. */
  answer: (seen: Seen) => Scripted | Promise<Scripted> = () => ({ status: 404 });

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      const seen = {
        path: request.url ?? '',
        authorization: request.headers.authorization,
        body: await bodyOf(request),
      };
      this.requests.push(seen);
      const { status, body, headers = {} } = await this.answer(seen);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
    });
  }

  static async start(): Promise<ScriptedGateway> {
    const server = createServer();
    const gateway = new ScriptedGateway(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return gateway;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many requests a path has got. */
  count(path: string): number {
    return this.requests.filter((each) => each.path === path).length;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
