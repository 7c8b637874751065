// The count of the connections that a server in this process has open, as the server sees them.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

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

  /** Waits until no more than so many are open, for so long at the most, ms. */
  async fallTo(most: number, withinMs: number): Promise<void> {
    for (const endMs = performance.now() + withinMs; this.size > most && performance.now() < endMs; ) await delay(10);
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
