// The open connections of the process: their number, in total and by address, and the timer that enforces time limits.

import type { Socket } from 'node:net';
import { callerAt } from '../../platform/caller-network.js';
import { Connection, type ConnectionContext } from './connection.js';
import { SWEEP_MS } from './limits.js';

export class Connections {
  readonly #context: Omit<ConnectionContext, 'routes'>;
  readonly #open = new Set<Connection>();
  /** The number of accepted sockets by address, including those in their TLS handshake. */
  readonly #byAddress = new Map<string, number>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(context: Omit<ConnectionContext, 'routes'>) {
    this.#context = context;
  }

  /** Counts a socket until it closes, or destroys it at a limit. @returns the address by which it is counted */
  admit(socket: Socket): string | undefined {
    const { limits, limitLog } = this.#context;
    const address = callerAt(socket.remoteAddress ?? '') ?? 'unknown';
    const count = this.#byAddress.get(address) ?? 0;
    const isTooMany = count >= limits.maxConnectionsPerAddress;
    const isFull = this.#count >= limits.maxConnections;
    const hasRoom = isTooMany ? this.#closeIdlest(address) : !isFull || this.#makeRoom(count);
    if (isTooMany || !hasRoom) {
      limitLog.count(isTooMany ? 'perAddress' : 'connections', `${socket.remoteAddress}:${socket.remotePort}`);
    }
    if (!hasRoom) {
      socket.destroy();
      return undefined;
    }
    this.#count++;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    socket.once('close', () => this.#countOut(address));
    socket.on('error', () => socket.destroy());
    return address;
  }

  /** Serves HTTP/2 on a socket that was admitted. */
  serve(socket: Socket, address: string, routes: ConnectionContext['routes']): void {
    // Its TLS handshake was under way when the server stopped.
    if (this.#isClosing) return void socket.destroy();
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    const connection = new Connection(socket, address, { ...this.#context, routes });
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
  }

  /** Accepts no more calls. Resolves when the calls under way have ended and all connections have closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const open = [...this.#open];
    for (const connection of open) connection.close();
    await Promise.all(open.map(({ closed }) => closed));
  }

  destroy(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
    for (const connection of this.#open) connection.destroy();
  }

  /** Closes an idle connection of the address with the most connections, if it has more than the new one's address. */
  #makeRoom(newcomers: number): boolean {
    const [most = ''] = [...this.#byAddress].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
    return (this.#byAddress.get(most) ?? 0) > newcomers + 1 && this.#closeIdlest(most);
  }

  /** Closes the longest idle connection of an address, so that idle connections shut no caller behind it out. */
  #closeIdlest(address: string): boolean {
    let idlest: Connection | undefined;
    for (const connection of this.#open) {
      if (connection.address !== address || connection.idleSinceMs === undefined) continue;
      if (!idlest || connection.idleSinceMs < (idlest.idleSinceMs ?? 0)) idlest = connection;
    }
    if (!idlest) return false;
    // Removed at once: until its socket has closed, the next call of this method would find it again.
    this.#open.delete(idlest);
    idlest.destroy();
    return true;
  }

  #countOut(address: string): void {
    this.#count--;
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#open) connection.sweep(nowMs);
  }
}
