// The responses that are under way, counted by connection.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class OpenResponses {
  readonly #open = new Map<Socket, Set<ServerResponse>>();
  /** The latest response on each connection, sent or not. */
  readonly #latest = new WeakMap<Socket, ServerResponse>();

  /** Counts the responses of a connection from now on, until `forget`. */
  track(socket: Socket): void {
    this.#open.set(socket, new Set());
  }

  /** @returns the responses that were under way */
  forget(socket: Socket): Iterable<ServerResponse> {
    const open = this.on(socket);
    this.#open.delete(socket);
    return open;
  }

  begin(socket: Socket, response: ServerResponse): void {
    this.#open.get(socket)?.add(response);
    this.#latest.set(socket, response);
  }

  /** @returns whether it was the last one under way on a connection that is still open */
  end(socket: Socket, response: ServerResponse): boolean {
    const open = this.#open.get(socket);
    open?.delete(response);
    return open?.size === 0;
  }

  on(socket: Socket): ReadonlySet<ServerResponse> {
    return this.#open.get(socket) ?? NONE;
  }

  latestOn(socket: Socket): ServerResponse | undefined {
    return this.#latest.get(socket);
  }

  all(): readonly ServerResponse[] {
    return [...this.#open.values()].flatMap((open) => [...open]);
  }
}

const NONE: ReadonlySet<ServerResponse> = new Set();
