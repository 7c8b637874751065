// Limits on the number of connections, of one client address and of all, and the log line about them.

import type { Logger } from '../src/log.js';
import { clientAt, type TrustsProxy } from './client-address.js';
import { ConnectionPool } from './connection-pool.js';
import type { GatewayLimits } from './limits.js';

const REPORT_MS = 10_000;

/** A connection, as far as its limits go. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
}

/**
 * Decides which connections stay. At a limit the longest idle connection is closed for a new one, so that nobody is
 * refused because of connections that nobody uses; a new one is closed only if all others have a request under way.
 */
export class ConnectionLimits {
  readonly #limits: Pick<GatewayLimits, 'connections' | 'connectionsPerAddress'>;
  readonly #trusts: TrustsProxy;
  readonly #log: Logger;
  readonly #all = new ConnectionPool<Connection>();
  /** The connections of each client; none of trusted proxies, which speak for many. */
  readonly #clients = new Map<string, ConnectionPool<Connection>>();
  readonly #clientOf = new WeakMap<Connection, string>();
  #reportedMs = Number.NEGATIVE_INFINITY;
  #refused = 0;
  #closedIdle = 0;

  constructor(limits: Pick<GatewayLimits, 'connections' | 'connectionsPerAddress'>, trusts: TrustsProxy, log: Logger) {
    this.#limits = limits;
    this.#trusts = trusts;
    this.#log = log;
  }

  /** @returns false if the connection was closed, since it is one too many */
  open(socket: Connection): boolean {
    const peer = socket.remoteAddress ?? '';
    const client = this.#trusts(peer) ? undefined : (clientAt(peer) ?? 'unknown');
    const own = client === undefined ? undefined : this.#clients.get(client);
    const ownIsFull = own !== undefined && own.size >= this.#limits.connectionsPerAddress;
    const full = ownIsFull ? own : this.#all.size >= this.#limits.connections ? this.#all : undefined;
    if (full) {
      const { spare } = full;
      (spare ?? socket).destroy();
      if (spare) this.close(spare);
      this.#report(spare !== undefined, ownIsFull ? client : undefined);
      if (!spare) return false;
    }
    this.#all.open(socket);
    if (client !== undefined) this.#openFor(client, socket);
    return true;
  }

  requested(socket: Connection): void {
    this.#all.requested(socket);
    this.#poolOf(socket)?.requested(socket);
  }

  /** No request of the connection is under way any more. */
  answered(socket: Connection): void {
    this.#all.answered(socket);
    this.#poolOf(socket)?.answered(socket);
  }

  close(socket: Connection): void {
    this.#all.close(socket);
    const pool = this.#poolOf(socket);
    pool?.close(socket);
    if (pool?.size === 0) this.#clients.delete(this.#clientOf.get(socket) ?? '');
    this.#clientOf.delete(socket);
  }

  #openFor(client: string, socket: Connection): void {
    // Looked up again: to make room its last connection may have been closed, and its pool with it.
    const pool = this.#clients.get(client) ?? new ConnectionPool<Connection>();
    this.#clients.set(client, pool);
    this.#clientOf.set(socket, client);
    pool.open(socket);
  }

  #poolOf(socket: Connection): ConnectionPool<Connection> | undefined {
    return this.#clients.get(this.#clientOf.get(socket) ?? '');
  }

  /** @param client the one whose limit was reached; undefined: the limit of all */
  #report(closedIdle: boolean, client: string | undefined): void {
    if (closedIdle) this.#closedIdle += 1;
    else this.#refused += 1;
    const nowMs = performance.now();
    if (nowMs - this.#reportedMs < REPORT_MS) return;
    const limit = client === undefined ? 'HTTP_MAX_CONNECTIONS' : 'HTTP_MAX_CONNECTIONS_PER_ADDRESS';
    const counts = { refused: this.#refused, closedIdle: this.#closedIdle };
    this.#log.warn({ limit, ...(client === undefined ? {} : { client }), ...counts }, 'too many connections');
    this.#reportedMs = nowMs;
    this.#refused = 0;
    this.#closedIdle = 0;
  }
}
