// The connections of the HTTP server: their limits, pipelined requests, and how they close when the gateway stops.

import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/platform/log.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { answerUnknownExpectation } from './client-errors.js';
import type { OpenResponses } from './open-responses.js';

export interface ConnectionsOptions {
  readonly log: Logger;
  readonly responses: OpenResponses;
  readonly limits: ConnectionLimits;
  /** The most requests of one connection that are served at once. The app answers one more. */
  readonly pipelined: number;
  /** How long no request may be under way before a stop closes all connections, ms. */
  readonly quietMs: number;
}

export class Connections {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #responses: OpenResponses;
  /** Connections with too many requests under way. They close after the responses to those. */
  readonly #overrun = new WeakSet<Socket>();
  readonly #pipelined: number;
  readonly #quietMs: number;
  #stopping = false;

  constructor(server: Server, { log, responses, limits, pipelined, quietMs }: ConnectionsOptions) {
    this.#server = server;
    this.#log = log;
    this.#responses = responses;
    this.#pipelined = pipelined;
    this.#quietMs = quietMs;
    server.on('connection', (socket) => {
      if (!limits.open(socket)) return;
      responses.track(socket);
      socket.once('close', () => {
        limits.close(socket);
        // Node emits `close` only on the response whose turn it is, and never on those behind it.
        for (const response of responses.forget(socket)) if (response.socket === null) response.emit('close');
      });
    });
    const serve = takeListeners(server);
    server.on('request', (request, response) => {
      const { socket } = request;
      if (this.#isOverrun(socket)) return;
      responses.begin(socket, response);
      limits.requested(socket);
      if (this.#stopping) response.setHeader('connection', 'close');
      response.once('close', () => {
        if (responses.end(socket, response)) limits.answered(socket);
      });
      serve(request, response);
    });
    server.on('checkContinue', (request, response: ServerResponse) => {
      // If it is not this request's turn, Node would write the line between another response's head and body.
      if (response.socket !== null) response.writeContinue();
      server.emit('request', request, response);
    });
    server.on('checkExpectation', (_request, response: ServerResponse) => answerUnknownExpectation(response));
  }

  /**
   * Begins a graceful stop: serves on for a short time, and asks each client to close its connection. Node cuts idle
   * connections off when the server closes.
   */
  async beginDrain(): Promise<void> {
    this.#stopping = true;
    await delay(this.#quietMs);
  }

  /**
   * Waits until every request under way is answered, then closes all connections; after `mostMs` at the latest.
   * Call it once the server accepts no more connections.
   */
  async drain(mostMs: number): Promise<void> {
    const force = setTimeout(() => {
      this.#log.warn({ requests: this.#responses.all().length }, 'stopping although requests are under way');
      this.#server.closeAllConnections();
    }, mostMs);
    do {
      await Promise.all(this.#responses.all().map((response) => this.#finished(response)));
      await delay(this.#quietMs);
    } while (this.#responses.all().length > 0);
    clearTimeout(force);
    // Browsers open connections in advance. Node counts a connection without a request as busy.
    this.#server.closeAllConnections();
  }

  /**
   * Node parses everything that one read returned: a thousand requests and more, also those behind a response that ends
   * the connection. We serve none of them: each would cost a log line and as much work as any request.
   */
  #isOverrun(socket: Socket): boolean {
    if (this.#overrun.has(socket)) return true;
    if (this.#responses.on(socket).size <= this.#pipelined) return false;
    this.#overrun.add(socket);
    this.#responses.latestOn(socket)?.once('close', () => socket.destroySoon());
    return true;
  }

  async #finished(response: ServerResponse): Promise<void> {
    if (!response.headersSent) response.setHeader('connection', 'close');
    await new Promise((resolve) => response.once('close', resolve));
  }
}

/** Takes over the listeners that serve the requests of a server. */
function takeListeners(server: Server): RequestListener {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  return (request, response) => {
    for (const listener of listeners) listener.call(server, request, response);
  };
}
