// Limits on the number of connections, of one client address and of all, and the log line about them.

import { callerAt } from '../../src/address-network.js';
import type { Logger } from '../../src/log.js';
import type { TrustsProxy } from './client-address.js';
import { ConnectionPool } from './connection-pool.js';
import type { GatewayLimits } from './limits.js';

type Limits = Pick<GatewayLimits, 'connections' | 'connectionsPerAddress' | 'reportMs'>;

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
  readonly #limits: Limits;
  readonly #trusts: TrustsProxy;
  readonly #log: Logger;
  readonly #all = new ConnectionPool<Connection>();
  /** The connections of each client; none of trusted proxies, which speak for many. */
  readonly #clients = new Map<string, ConnectionPool<Connection>>();
  readonly #clientOf = new WeakMap<Connection, string>();
  /** What was closed since the last line of the log, and at which limit the last time. */
  #closed = { refused: 0, closedIdle: 0 };
  #reached: { readonly limit: string; readonly client?: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, trusts: TrustsProxy, log: Logger) {
    this.#limits = limits;
    this.#trusts = trusts;
    this.#log = log;
  }

  /** @returns false if the connection was closed, since it is one too many */
  open(socket: Connection): boolean {
    const peer = socket.remoteAddress ?? '';
    const client = this.#trusts(peer) ? undefined : (callerAt(peer) ?? 'unknown');
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
    this.#closed[closedIdle ? 'closedIdle' : 'refused'] += 1;
    this.#reached =
      client === undefined ? { limit: 'HTTP_MAX_CONNECTIONS' } : { limit: 'HTTP_MAX_CONNECTIONS_PER_ADDRESS', client };
    if (this.#timer === undefined) this.#write();
  }

  /** Writes at once, and again after `reportMs` if more was closed until then. */
  #write(): void {
    this.#log.warn({ ...this.#reached, ...this.#closed }, 'too many connections');
    this.#closed = { refused: 0, closedIdle: 0 };
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#closed.refused + this.#closed.closedIdle > 0) this.#write();
    }, this.#limits.reportMs).unref();
  }
}
