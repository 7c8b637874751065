// Owns a TCP proxy between a node and Redis that can be slow, mute, or cut its connections.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];
  #mute = false;
  /** How long each piece of data takes on its way, ms. */
  delayMs = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port of this machine, where to go on to */
  static async start(port: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new TcpProxy(server);
    server.on('connection', (socket) => proxy.#join(socket, connect({ port, host: '127.0.0.1', noDelay: true })));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing arrives, and no connection is closed: a cable that is pulled. */
  mute(): void {
    this.#mute = true;
  }

  /** What was held back arrives after all, in order. */
  unmute(): void {
    this.#mute = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Closes every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.unmute();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    this.#carry(near, far);
    this.#carry(far, near);
  }

  /** Carries one direction, in order, the end of it too. */
  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let last = Promise.resolve();
    const send = (work: () => void): void => {
      const dueMs = performance.now() + this.delayMs;
      last = last.then(async () => {
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
        if (this.#mute) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        work();
      });
    };
    from.on('data', (data) => send(() => to.write(data)));
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      send(() => to.end());
    });
  }
}
