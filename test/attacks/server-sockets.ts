// The count of the connections that a server in this process has open, as the server sees them.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { until } from '../support/waiting.js';

const CHANNEL = 'net.server.socket';

export class ServerSockets {
  readonly #open = new Set<Socket>();
  readonly #port: () => number;

  /** @param port the server's, once it is known */
  constructor(port: () => number) {
    this.#port = port;
    subscribe(CHANNEL, this.#note);
  }

  /** The most that were open at once. */
  most = 0;

  get size(): number {
    return this.#open.size;
  }

  /** Waits until at most `most` are open. */
  async fallTo(most: number, limitMs: number): Promise<void> {
    await until(() => this.size <= most, limitMs, { seen: () => this.size });
  }

  stop(): void {
    unsubscribe(CHANNEL, this.#note);
  }

  readonly #note = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort !== this.#port()) return;
    this.#open.add(socket);
    this.most = Math.max(this.most, this.#open.size);
    socket.once('close', () => this.#open.delete(socket));
  };
}
