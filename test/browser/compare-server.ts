// The server of the comparison: serves the pages of three clients, and passes, loses or holds their refreshes.

import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, type Started, startGateway, startServe } from '../support/processes.js';
import { bodyOf, type Passed, serveApp } from './app.js';
import { bundle } from './bundle.js';
import { quickFolder } from './quick-folder.js';

export const ACCESS_SECONDS = 6;

export type Compared = 'latchkey' | 'axios' | 'supabase';
type Fate = 'pass' | 'lose' | 'hold';

/** One client's refreshes. */
interface Lane {
  fate: Fate;
  refreshes: number;
  heldTab: string | undefined;
}

const CLIENTS: readonly Compared[] = ['latchkey', 'axios', 'supabase'];
/** auth-js refreshes 90 s before the end, in ticks of 30 s. Tokens that live 6 s instead of 300 s need a 50th of that. */
const SCALED = { AUTO_REFRESH_TICK_DURATION_MS: `${(30_000 * ACCESS_SECONDS) / 300}` };

export class CompareServer {
  readonly #server: Server;
  readonly #parts: { service: Started; gateway: Started; client: TestClient; folder: string };
  readonly #bundles: ReadonlyMap<string, string>;
  readonly #lanes = new Map<Compared, Lane>(
    CLIENTS.map((name) => [name, { fate: 'pass', refreshes: 0, heldTab: undefined }]),
  );
  readonly #changed = new EventEmitter().setMaxListeners(0);

  private constructor(
    server: Server,
    parts: { service: Started; gateway: Started; client: TestClient; folder: string },
    bundles: ReadonlyMap<string, string>,
  ) {
    this.#server = server;
    this.#parts = parts;
    this.#bundles = bundles;
    server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** @param grace REFRESH_GRACE of the service */
  static async start(grace: string): Promise<CompareServer> {
    const folder = await quickFolder();
    const lifetimes = { ACCESS_TTL: `${ACCESS_SECONDS}s`, REFRESH_GRACE: grace };
    const service = await startServe({ env: { DATA_DIR: join(folder, 'data'), JWT_SECRET, ...lifetimes } });
    const gateway = await startGateway(service.address, { env: { REFRESH_COOKIE: 'localhost' } });
    const bundles = await Promise.all(
      CLIENTS.map(
        async (name): Promise<[string, string]> => [
          `/${name}.js`,
          await bundle(`test/browser/pages/compare-${name}.js`, SCALED),
        ],
      ),
    );
    const server = createServer();
    const parts = { service, gateway, client: new TestClient(service.address), folder };
    const compared = new CompareServer(server, parts, new Map(bundles));
    server.listen(0, 'localhost');
    await once(server, 'listening');
    return compared;
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many refreshes a client has sent so far. */
  refreshes(name: Compared): number {
    return this.#lanes.get(name)?.refreshes ?? 0;
  }

  /** The number of the tab whose refresh is being held. */
  heldTab(name: Compared): string | undefined {
    return this.#lanes.get(name)?.heldTab;
  }

  setFate(name: Compared, fate: Fate): void {
    Object.assign(this.#lanes.get(name) ?? {}, { fate, heldTab: undefined });
    this.#changed.emit(name);
  }

  async login(): Promise<{ readonly access: string; readonly refresh: string }> {
    const { accessToken, refreshToken } = await this.#parts.client.issue('alice');
    return { access: accessToken, refresh: refreshToken };
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#parts.client.close();
    await this.#parts.gateway.stop();
    await this.#parts.service.stop();
    rmSync(this.#parts.folder, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A browser repeats a request by itself on a connection that it has used before: then no loss reaches the client.
    response.setHeader('connection', 'close');
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const script = this.#bundles.get(path);
    if (script !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    } else if (this.#bundles.has(`${path}.js`)) {
      response.writeHead(200, { 'content-type': 'text/html', 'referrer-policy': 'unsafe-url' });
      response.end(`<!doctype html><script type="module" src="${path}.js"></script>`);
    } else if (path === '/gotrue/token') {
      await this.#supabaseToken(request, response);
    } else if (path === '/gotrue/user') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"alice"}');
    } else {
      await serveApp(request, response, {
        gatewayOf: () => this.#parts.gateway.address,
        login: async (subject) => (await this.#parts.client.issue(subject)).refreshToken,
        onAnswer: (passed) => this.#onAnswer(passed),
      });
    }
  }

  /** Answers as supabase's server: https://supabase.com/docs/reference/self-hosting-auth */
  async #supabaseToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { refresh_token: refresh } = JSON.parse(await bodyOf(request));
    const answer = await fetch(`http://${this.#parts.gateway.address}/api/auth/token/refresh/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh }),
    });
    const { status } = answer;
    const pair = (await answer.json()) as { readonly access: string; readonly refresh: string };
    const passed = {
      method: 'POST',
      path: '/token/refresh/',
      host: '',
      site: undefined,
      status,
      referer: request.headers.referer ?? '',
    };
    if (!(await this.#onAnswer(passed))) return void response.destroy();
    response.setHeader('content-type', 'application/json');
    if (status === 200) {
      const expires = { expires_in: ACCESS_SECONDS, token_type: 'bearer', user: { id: 'alice' } };
      response.end(JSON.stringify({ access_token: pair.access, refresh_token: pair.refresh, ...expires }));
    } else if (status === 401) {
      response.writeHead(400).end('{"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token"}');
    } else {
      response.writeHead(status).end('{}');
    }
  }

  async #onAnswer({ path, referer }: Passed): Promise<boolean> {
    const [, name = '', tab] = /\/(\w+)\?tab=(\d+)$/.exec(referer) ?? [];
    const lane = this.#lanes.get(name as Compared);
    if (!lane || !path.includes('refresh')) return true;
    lane.refreshes++;
    if (lane.fate === 'hold') {
      lane.heldTab ??= tab;
      await once(this.#changed, name);
    }
    return lane.fate !== 'lose';
  }
}
