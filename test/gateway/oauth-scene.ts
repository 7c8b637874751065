// A gateway with OAuth clients for tests: a real one, before a real gRPC server on the store whose steps are taken by hand.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateway, type Gateway } from '../../gateway/server.js';
import { parseAddress } from '../../src/platform/env/values.js';
import type { Address, Variables } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { ORIGIN, settingsFor } from './running-gateway.js';

export const SECRET = 'a secret of the client, for tests alone';
/** With what clients encode in different ways. */
export const ODD_SECRET = 'odd: 100% of it + ä/é&=, for tests alone';
export const INTROSPECT = '/oauth2/introspect';
export const REVOKE = '/oauth2/revoke';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const CLIENTS = [
  { id: 'orders', secret_sha256: [sha256(SECRET)], rights: ['introspect'] },
  { id: 'odd@client', secret_sha256: [sha256('another'), sha256(ODD_SECRET)], rights: ['introspect'] },
];
/** There only where REVOKER_TOKEN is set. */
const MANAGER = { id: 'manager', secret_sha256: [sha256(SECRET)], rights: ['global_revocation'] };

export const basic = (id: string, secret: string, encoding: BufferEncoding = 'utf8'): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`, encoding).toString('base64')}`,
});

export class OAuthScene {
  readonly service: GrpcScene;
  readonly gateway: Gateway;
  readonly address: Address;
  /** The lines of the log, at the level `trace`. */
  readonly log: readonly string[];
  readonly #folder: string;

  private constructor(parts: Pick<OAuthScene, 'service' | 'gateway' | 'address' | 'log'>, folder: string) {
    this.service = parts.service;
    this.gateway = parts.gateway;
    this.address = parts.address;
    this.log = parts.log;
    this.#folder = folder;
  }

  static async start(
    variables: Variables = {},
    options: Parameters<typeof GrpcScene.start>[0] = {},
  ): Promise<OAuthScene> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-oauth-'));
    const clients = 'REVOKER_TOKEN' in variables ? [...CLIENTS, MANAGER] : CLIENTS;
    writeFileSync(join(folder, 'clients.json'), JSON.stringify({ clients }));
    const service = await GrpcScene.start(options);
    const log: string[] = [];
    const destination = { write: (line: string) => void log.push(line) };
    const at = parseAddress(service.address);
    if (!at) throw new Error('no address');
    const settings = settingsFor(at, {
      ...{ CORS_ORIGINS: ORIGIN, OAUTH_CLIENTS: join(folder, 'clients.json') },
      ...variables,
    });
    const gateway = createGateway(settings, createLogger({ level: 'trace', name: 'gateway', destination }));
    const address = await gateway.listen();
    return new OAuthScene({ service, gateway, address, log }, folder);
  }

  get url(): string {
    return `http://${this.address.host}:${this.address.port}`;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, init);
  }

  /** Posts a form. */
  post(path: string, form: Record<string, string> | string, headers: Record<string, string> = {}): Promise<Response> {
    const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
    return this.ask(path, {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  /** Introspects as the usual client. */
  async introspect(token: string, more: Record<string, string> = {}): Promise<unknown> {
    const response = await this.post(INTROSPECT, { token, ...more }, basic('orders', SECRET));
    if (response.status !== 200) throw new Error(`answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.service.stop();
    rmSync(this.#folder, { recursive: true });
  }
}
