// A running gateway for tests: a real one on a port of its own, before a scripted service, its log on record.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type GatewaySettings, readGatewaySettings } from '../../gateway/config.js';
import type { GatewayLimits } from '../../gateway/limits/limits.js';
import { createGateway, type Gateway } from '../../gateway/server.js';
import { type Address, Environment, type Variables } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { ScriptedAuthService } from '../support/scripted-auth-service.js';
import { until } from '../support/waiting.js';
import { type OAuthClientsFile, writeOAuthClients } from './oauth-clients.js';

/** An answer, read to its end. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export const REFRESH = '/api/auth/token/refresh/';
export const LOGOUT = '/api/auth/logout/';
export const SESSION = '/api/auth/session/';
/** The diagnostics channel of Node's HTTP servers. */
const REQUEST_BEGUN = 'http.server.request.start';
export const ORIGIN = 'https://app.example.com';

/** Resolves once a server of this process has read the head of another request. */
export function requestBegun(): Promise<void> {
  return new Promise((resolve) => {
    const note = (): void => {
      unsubscribe(REQUEST_BEGUN, note);
      resolve();
    };
    subscribe(REQUEST_BEGUN, note);
  });
}

/** The settings of a gateway on a port of its own, in front of a service. */
export const settingsFor = (authServiceAddress: Address, variables: Variables = {}): GatewaySettings => ({
  ...readGatewaySettings(new Environment({ HTTP_ADDRESS: '127.0.0.1:0', ...variables })),
  authServiceAddress,
});

/** All endpoints of OAuth. */
const OAUTH = { JWT_ISSUER: 'https://login.example.com', REVOKER_TOKEN: 'a credential to revoke, for tests alone' };

export interface GatewayOptions {
  /** As an operator would set them; without them `ORIGIN` alone is in CORS_ORIGINS. */
  readonly variables?: Variables;
  readonly limits?: Partial<GatewayLimits>;
  readonly nowMs?: () => number;
  /** The wall clock. */
  readonly unixMs?: () => number;
  /** Whether it serves OAuth clients. Default: not. */
  readonly oauth?: boolean;
}

export class RunningGateway {
  readonly service: ScriptedAuthService;
  readonly gateway: Gateway;
  readonly address: Address;
  readonly url: string;
  /** The lines of the log, at the level `trace`. */
  readonly log: readonly string[];
  #clients: OAuthClientsFile | undefined;

  constructor(service: ScriptedAuthService, gateway: Gateway, address: Address, log: readonly string[]) {
    this.service = service;
    this.gateway = gateway;
    this.address = address;
    this.url = `http://${address.host}:${address.port}`;
    this.log = log;
  }

  static async start(options: GatewayOptions = {}): Promise<RunningGateway> {
    const { variables, limits, nowMs, unixMs, oauth = false } = options;
    const clients = oauth ? writeOAuthClients(OAUTH) : undefined;
    const service = await new ScriptedAuthService().start();
    const log: string[] = [];
    const destination = { write: (line: string) => void log.push(line) };
    const settings = settingsFor(service.address, { CORS_ORIGINS: ORIGIN, ...clients?.variables, ...variables });
    const logger = createLogger({ level: 'trace', name: 'gateway', destination });
    const merged = { ...settings, limits: { ...settings.limits, ...limits } };
    const gateway = createGateway(merged, logger, { nowMs, unixMs });
    const running = new RunningGateway(service, gateway, await gateway.listen(), log);
    running.#clients = clients;
    return running;
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    this.service.stop();
    this.#clients?.remove();
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answered> {
    const answer = await fetch(this.url + path, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** Posts a JSON document: a value, or a text that is sent as it is. */
  post(path: string, document: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    return this.ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** The log after its first `skip` lines; waits until a request of this route is in it. */
  async logged(skip: number, route: string): Promise<Record<string, unknown>[]> {
    const lines = () => this.log.slice(skip).map((line) => JSON.parse(line) as Record<string, unknown>);
    await until(() => lines().some((line) => line['route'] === route), undefined, { seen: lines });
    return lines();
  }

  /** A connection without HTTP on it. */
  async connect(): Promise<Socket> {
    const socket = connect(this.address.port, this.address.host);
    await once(socket, 'connect');
    return socket;
  }

  /** Writes to a new connection and reads it to its end. */
  async raw(text: string): Promise<string> {
    const socket = await this.connect();
    socket.write(text);
    return readAll(socket);
  }
}

/** Reads a connection until it is closed, by whichever end. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  if (!socket.closed) await once(socket, 'close').catch(() => {});
  return text;
}
