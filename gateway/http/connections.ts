// Connections below the level of routes: requests that Node's parser refuses, limits, and the end of all at a stop.

import { type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';

/** How long no request may be under way before a stop closes what is still open; those just sent arrive within it. */
const QUIET_MS = 100;

/** What clients get whose requests are not such, by the code of Node's error. */
const CLIENT_ERRORS: ReadonlyMap<string, readonly [status: number, detail: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'Request headers too large.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request took too long to arrive.']],
]);

/** The connections of a server. */
export class Connections {
  readonly #server: Server;
  readonly #log: Logger;
  /** The answers under way, by connection. */
  readonly #open = new Map<Socket, Set<ServerResponse>>();
  /** The latest answer on each connection, sent or not. */
  readonly #latest = new WeakMap<Socket, ServerResponse>();
  /** Connections that have had too many requests under way, and end with the answers to those. */
  readonly #overrun = new WeakSet<Socket>();
  readonly #pipelined: number;
  #stopping = false;

  /** @param pipelined the most requests of a connection that are served at once; one more is answered by the app */
  constructor(server: Server, log: Logger, limits: ConnectionLimits, pipelined: number) {
    this.#pipelined = pipelined;
    this.#server = server;
    this.#log = log;
    server.on('connection', (socket) => {
      if (!limits.open(socket)) return;
      const open = new Set<ServerResponse>();
      this.#open.set(socket, open);
      socket.once('close', () => {
        this.#open.delete(socket);
        limits.close(socket);
        // Node tells the end of a connection to the answer whose turn it is, and never to those behind it.
        for (const response of open) if (response.socket === null) response.emit('close');
      });
    });
    const serve = takeListeners(server);
    server.on('request', (request, response) => {
      const { socket } = request;
      if (this.#isOverrun(socket)) return;
      const open = this.#open.get(socket);
      open?.add(response);
      limits.requested(socket);
      this.#latest.set(socket, response);
      if (this.#stopping) response.setHeader('connection', 'close');
      response.once('close', () => {
        open?.delete(response);
        if (open?.size === 0) limits.answered(socket);
      });
      serve(request, response);
    });
    server.on('checkContinue', (request, response: ServerResponse) => {
      // To a request whose turn has not come Node would write it between the head of its answer and the body.
      if (response.socket !== null) response.writeContinue();
      server.emit('request', request, response);
    });
    // Node answers these without our headers if nobody listens.
    server.on('checkExpectation', (_request, response: ServerResponse) => {
      const body = JSON.stringify({ detail: 'Expectation not supported.' });
      response.writeHead(417, { ...RAW_HEADERS, 'Content-Length': Buffer.byteLength(body) }).end(body);
    });
  }

  /** Answers a request that Node's parser gave up on. */
  refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    this.#log.debug({ code: error.code }, 'client error');
    // A second answer would be read as the end of one that has begun, or in the place of one that is owed.
    const owed = [...(this.#open.get(socket) ?? [])].some(({ headersSent, req }) => headersSent || req.complete);
    // Nor does one get it whose request was answered, and then went wrong in the rest of its body.
    const latest = this.#latest.get(socket);
    const answered = latest?.headersSent === true && !latest.req.complete;
    if (error.code !== 'ECONNRESET' && socket.writable && !owed && !answered) {
      const [status, detail] = CLIENT_ERRORS.get(error.code ?? '') ?? [400, 'Malformed request.'];
      socket.write(rawAnswer(status, detail));
    }
    socket.destroy();
  }

  /** Serves on for a short time, but asks for the end of each connection: Node cuts idle ones off at a close. */
  async wane(): Promise<void> {
    this.#stopping = true;
    await delay(QUIET_MS);
  }

  /**
   * Waits until every request under way is answered, then closes what is still open; at the latest after `mostMs`.
   * To be called when the server takes no more connections.
   */
  async drain(mostMs: number): Promise<void> {
    const force = setTimeout(() => {
      this.#log.warn({ requests: this.#underWay().length }, 'stopping although requests are under way');
      this.#server.closeAllConnections();
    }, mostMs);
    do {
      await Promise.all(this.#underWay().map((response) => this.#finished(response)));
      await delay(QUIET_MS);
    } while (this.#underWay().length > 0);
    clearTimeout(force);
    // Browsers open connections in advance; Node holds one without a request for busy.
    this.#server.closeAllConnections();
  }

  /**
   * Node parses all that one read has brought, a thousand requests and more, also behind an answer that ends the
   * connection. None of them is served: each would cost a log line and as much work as any request.
   */
  #isOverrun(socket: Socket): boolean {
    if (this.#overrun.has(socket)) return true;
    if ((this.#open.get(socket)?.size ?? 0) <= this.#pipelined) return false;
    this.#overrun.add(socket);
    this.#latest.get(socket)?.once('close', () => socket.destroySoon());
    return true;
  }

  async #finished(response: ServerResponse): Promise<void> {
    if (!response.headersSent) response.setHeader('connection', 'close');
    await new Promise((resolve) => response.once('close', resolve));
  }

  #underWay(): readonly ServerResponse[] {
    return [...this.#open.values()].flatMap((open) => [...open]);
  }
}

/** Takes over what serves the requests of a server. */
function takeListeners(server: Server): RequestListener {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  return (request, response) => {
    for (const listener of listeners) listener.call(server, request, response);
  };
}

const RAW_HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Connection: 'close' };

function rawAnswer(status: number, detail: string): string {
  const body = JSON.stringify({ detail });
  const headers = Object.entries({ ...RAW_HEADERS, 'Content-Length': Buffer.byteLength(body) });
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
