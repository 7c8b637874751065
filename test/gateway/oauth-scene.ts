// A gateway with OAuth clients for tests: a real one, before a real gRPC server on the store whose steps are taken by hand.

import { createGateway, type Gateway } from '../../gateway/server.js';
import { parseAddress } from '../../src/platform/env/values.js';
import type { Address, Variables } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { basic, INTROSPECT, type OAuthClientsFile, SECRET, writeOAuthClients } from './oauth-clients.js';
import { ORIGIN, settingsFor } from './running-gateway.js';

export class OAuthScene {
  readonly service: GrpcScene;
  readonly gateway: Gateway;
  readonly address: Address;
  /** The lines of the log, at the level `trace`. */
  readonly log: readonly string[];
  readonly #clients: OAuthClientsFile;

  private constructor(parts: Pick<OAuthScene, 'service' | 'gateway' | 'address' | 'log'>, clients: OAuthClientsFile) {
    this.service = parts.service;
    this.gateway = parts.gateway;
    this.address = parts.address;
    this.log = parts.log;
    this.#clients = clients;
  }

  static async start(
    variables: Variables = {},
    options: Parameters<typeof GrpcScene.start>[0] = {},
  ): Promise<OAuthScene> {
    const clients = writeOAuthClients({ CORS_ORIGINS: ORIGIN, ...variables });
    const service = await GrpcScene.start(options);
    const log: string[] = [];
    const destination = { write: (line: string) => void log.push(line) };
    const at = parseAddress(service.address);
    if (!at) throw new Error('no address');
    const settings = settingsFor(at, clients.variables);
    const gateway = createGateway(settings, createLogger({ level: 'trace', name: 'gateway', destination }));
    const address = await gateway.listen();
    return new OAuthScene({ service, gateway, address, log }, clients);
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
    this.#clients.remove();
  }
}
