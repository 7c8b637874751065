// The watching of what a Redis server is asked for: MONITOR, over a socket of its own.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The driver has a monitor, too, which fails at times when commands come before the answer to its own. */
export class RedisMonitor {
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (some: string) => {
      this.#text += some;
    });
  }

  /** Watches a server without a password; resolves when nothing escapes it any more. */
  static async open(port: number): Promise<RedisMonitor> {
    const socket = connect(port, '127.0.0.1');
    const monitor = new RedisMonitor(socket);
    socket.write('MONITOR\r\n');
    await once(socket, 'data');
    return monitor;
  }

  /** Every command since, with its arguments. */
  get text(): string {
    return this.#text;
  }

  close(): void {
    this.#socket.destroy();
  }
}
