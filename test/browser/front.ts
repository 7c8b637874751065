// The web server of several hosts, with HTTPS: the app before its gateways, pages of other sites, answers that get lost.

import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Authority } from '../support/certificates.js';
import { type AppParts, bodyOf, type Passed, serveApp } from './app.js';

export const APP = 'https://app.site.test';
/** Its gateway sets the cookie with the prefix `__Host-`. */
export const HOST_APP = 'https://host.site.test';
/** Pages of another host of the same site, which the gateways have in CORS_ORIGINS. */
export const WWW = 'https://www.site.test';
/** Another host of the same site, which they do not know. */
export const SIBLING = 'https://evil.site.test';
/** Another site. */
export const OTHER_SITE = 'https://evil.test';

/** Any page may ask, with any header. */
const CATCHES = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' };

/** What becomes of the answer to a refresh: it passes, it is lost with its connection, or it waits for `release`. */
export type AnswerFate = 'pass' | 'lose' | 'hold';

/** A request of a page, other than one to the gateway. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export type FrontParts = Omit<AppParts, 'onAnswer'>;

export class Front {
  readonly #server: Server;
  readonly #parts: FrontParts;
  readonly #release = new EventEmitter().setMaxListeners(0);
  /** Pages and scripts, by URL. */
  readonly #pages = new Map<string, { readonly type: string; readonly text: string }>();
  readonly #redirects = new Map<string, string>();
  readonly passed: Passed[] = [];
  fate: AnswerFate = 'pass';
  /** How many answers are being held. */
  held = 0;
  /** How many of the next requests to the API are refused. */
  refusals = 0;
  /** The requests to the API, and those to `/catch` of any host. */
  readonly asked: Asked[] = [];

  private constructor(server: Server, parts: FrontParts) {
    this.#server = server;
    this.#parts = parts;
    server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(parts: FrontParts): Promise<Front> {
    const { cert, key } = new Authority('pages').issue({ names: ['DNS:*.site.test', 'DNS:evil.test'] });
    const server = createServer({ cert, key });
    const front = new Front(server, parts);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Serves a page or a script. @param url with its origin */
  page(url: string, text: string, type = 'text/html'): void {
    this.#pages.set(url, { type, text });
  }

  /** Answers a URL with a redirect. */
  redirect(url: string, location: string): void {
    this.#redirects.set(url, location);
  }

  /** Lets the answers that are held go on. */
  release(): void {
    this.fate = 'pass';
    this.#release.emit('release');
  }

  /** How many refreshes the gateway has answered so, since `from`. */
  refreshes(status = 200, from = 0): number {
    return this.passed.slice(from).filter((each) => /refresh|session/.test(each.path) && each.status === status).length;
  }

  stop(): void {
    this.release();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = `https://${request.headers.host}`;
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const page = this.#pages.get(origin + path);
    const location = this.#redirects.get(origin + path);
    if (page) return void response.writeHead(200, { 'content-type': page.type }).end(page.text);
    if (location !== undefined) return void response.writeHead(307, { location }).end();
    if (path === '/orders' || path === '/catch') {
      const { method = '', headers } = request;
      this.asked.push({
        url: origin + path,
        method,
        authorization: headers.authorization,
        body: await bodyOf(request),
      });
    }
    if (path === '/catch') return void response.writeHead(200, CATCHES).end();
    if (path === '/orders' && this.refusals > 0) {
      this.refusals--;
      return void response.writeHead(401).end();
    }
    if (![APP, HOST_APP, WWW].includes(origin)) return void response.writeHead(404).end();
    await serveApp(request, response, { ...this.#parts, onAnswer: (passed) => this.#onAnswer(passed) });
  }

  async #onAnswer(passed: Passed): Promise<boolean> {
    this.passed.push(passed);
    const { fate } = this;
    if (!passed.path.includes('refresh')) return true;
    if (fate === 'hold') {
      this.held++;
      await once(this.#release, 'release');
      this.held--;
    }
    return fate !== 'lose';
  }
}
