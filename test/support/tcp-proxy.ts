// A TCP proxy for tests: it delays, loses, holds back or cuts what passes between clients and one server.

import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { elapse } from './waiting.js';

/** Which way bytes go: `up` are requests, to the server; `down` are answers, from it. */
export type Way = 'up' | 'down';

/**
 * What becomes of bytes. `drop`: they are lost without a word, and all that follows them on that connection is too, for
 * a stream with a hole in it never goes on. `hold`: they wait until the way is mended, as what TCP sends again does.
 */
export type Fate = 'pass' | 'drop' | 'hold';

const WAYS: readonly Way[] = ['up', 'down'];

/** Changes the bytes of one connection's answers, as they come. */
export type Filter = (bytes: Buffer) => Buffer;

/**
 * Faults strike all connections, those that are there and those to come, until `mend`. New connections are always
 * accepted. What is under way stays in order, and is not bounded: this is for tests, which send little.
 */
export class TcpProxy {
  readonly #server: Server;
  #targetPort: number;
  readonly #filterOf: () => Filter;
  readonly #sockets = new Set<Socket>();
  /** How many bytes have come, each way. */
  readonly received: Record<Way, number> = { up: 0, down: 0 };
  readonly #fates: Record<Way, Fate> = { up: 'pass', down: 'pass' };
  #delayMs = 0;
  /** Rings when fates change, for what is held back, and when something is held back. */
  readonly #bell = new EventEmitter().setMaxListeners(0);

  private constructor(server: Server, targetPort: number, filterOf: () => Filter) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.#filterOf = filterOf;
    server.on('connection', (client) => this.#join(client));
  }

  /**
   * Listens on a port of its own. The server need not be there yet: then connections are reset.
   * @param filterOf makes the filter of a connection
   */
  static async start(targetPort: number, filterOf: () => Filter = () => (bytes) => bytes): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, targetPort, filterOf);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** From now on new connections go to another server; those that are there stay. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** From now on connections go to another server, as after a failover; those that are there are cut. */
  redirect(targetPort: number): void {
    this.#targetPort = targetPort;
    this.cut();
  }

  /** From now on each round trip takes so much longer, ms: answers are late by it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** From now on bytes are lost silently: no peer gets a FIN or a reset. */
  drop(...ways: readonly Way[]): void {
    this.#set('drop', ways);
  }

  /** From now on bytes wait. */
  hold(...ways: readonly Way[]): void {
    this.#set('hold', ways);
  }

  /** Resolves when bytes that hold a text are held back. */
  async heldBack(text: string): Promise<void> {
    for (;;) {
      const [bytes] = await once(this.#bell, 'held');
      if (bytes.includes(text)) return;
    }
  }

  /** Ends every fault. Connections that have lost bytes stay mute; those that come later are good. */
  mend(): void {
    this.#delayMs = 0;
    this.#set('pass', WAYS);
  }

  /** Resets every connection that is there. */
  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.mend();
    await closed;
  }

  #set(fate: Fate, ways: readonly Way[]): void {
    for (const way of ways.length > 0 ? ways : WAYS) this.#fates[way] = fate;
    this.#bell.emit('change');
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    this.#relay(client, server, 'up', (bytes) => bytes);
    this.#relay(server, client, 'down', this.#filterOf());
  }

  /** Hands on what comes, its end and its failure too, one after the other. */
  #relay(from: Socket, to: Socket, way: Way, filter: Filter): void {
    let lost = false;
    let last = Promise.resolve();
    const next = (handOn: () => void): void => {
      const dueMs = performance.now() + (way === 'down' ? this.#delayMs : 0);
      last = last.then(async () => {
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await elapse(waitMs, 'a slow network');
        while (this.#fates[way] === 'hold') await once(this.#bell, 'change');
        lost ||= this.#fates[way] === 'drop';
        if (!lost && !to.destroyed) handOn();
      });
    };
    from.on('data', (bytes) => {
      if (this.#fates[way] === 'hold') this.#bell.emit('held', bytes);
      this.received[way] += bytes.length;
      next(() => to.write(filter(bytes)));
    });
    from.once('end', () => next(() => to.end()));
    // A reset, or a server that is not there.
    from.on('error', () => next(() => reset(to)));
  }
}

/** Ends a connection with a reset. Node 20 never comes to an end with one that was reset after its own FIN. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
