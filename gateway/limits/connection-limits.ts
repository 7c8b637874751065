// Limits on the number of connections, by client address and in total, and the log line about them.

import { callerAt } from '../../src/platform/caller-network.js';
import { ClosingOrder } from '../../src/platform/closing-order.js';
import type { Logger } from '../../src/platform/log.js';
import type { IsTrustedProxy } from './client-address.js';
import type { GatewayLimits } from './limits.js';

type Limits = Pick<GatewayLimits, 'connections' | 'connectionsPerAddress' | 'reportMs'>;

/** The part of a socket that the limits use. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
}

/**
 * Decides which connections stay open. At a limit it closes the longest idle connection to make room for a new one, so
 * that unused connections keep no client out. It closes the new one only if all others have a request under way.
 */
export class ConnectionLimits {
  readonly #limits: Limits;
  readonly #isTrustedProxy: IsTrustedProxy;
  readonly #log: Logger;
  readonly #all = new ClosingOrder<Connection>();
  /** The connections by client. Trusted proxies are left out, because they serve many clients. */
  readonly #clients = new Map<string, ClosingOrder<Connection>>();
  readonly #clientOf = new WeakMap<Connection, string>();
  /** How many connections were closed since the last log line, and at which limit the last one was. */
  #closed = { refused: 0, closedIdle: 0 };
  #reached: { readonly limit: string; readonly client?: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, isTrustedProxy: IsTrustedProxy, log: Logger) {
    this.#limits = limits;
    this.#isTrustedProxy = isTrustedProxy;
    this.#log = log;
  }

  /** @returns false if a limit was reached and this connection was closed */
  open(socket: Connection): boolean {
    const peer = socket.remoteAddress ?? '';
    const client = this.#isTrustedProxy(peer) ? undefined : (callerAt(peer) ?? 'unknown');
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
    this.#orderOf(socket)?.requested(socket);
  }

  /** Call it when the connection has no request under way any more. */
  answered(socket: Connection): void {
    this.#all.answered(socket);
    this.#orderOf(socket)?.answered(socket);
  }

  close(socket: Connection): void {
    this.#all.close(socket);
    const order = this.#orderOf(socket);
    order?.close(socket);
    if (order?.size === 0) this.#clients.delete(this.#clientOf.get(socket) ?? '');
    this.#clientOf.delete(socket);
  }

  #openFor(client: string, socket: Connection): void {
    // A second lookup: making room may have closed the client's last connection, and deleted its order.
    const order = this.#clients.get(client) ?? new ClosingOrder<Connection>();
    this.#clients.set(client, order);
    this.#clientOf.set(socket, client);
    order.open(socket);
  }

  #orderOf(socket: Connection): ClosingOrder<Connection> | undefined {
    return this.#clients.get(this.#clientOf.get(socket) ?? '');
  }

  /** @param client the client whose limit was reached; undefined: the total limit */
  #report(closedIdle: boolean, client: string | undefined): void {
    this.#closed[closedIdle ? 'closedIdle' : 'refused'] += 1;
    this.#reached =
      client === undefined ? { limit: 'HTTP_MAX_CONNECTIONS' } : { limit: 'HTTP_MAX_CONNECTIONS_PER_ADDRESS', client };
    if (this.#timer === undefined) this.#write();
  }

  /** Writes a line at once, and another after `reportMs` if more connections were closed by then. */
  #write(): void {
    this.#log.warn({ ...this.#reached, ...this.#closed }, 'too many connections');
    this.#closed = { refused: 0, closedIdle: 0 };
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#closed.refused + this.#closed.closedIdle > 0) this.#write();
    }, this.#limits.reportMs).unref();
  }
}
