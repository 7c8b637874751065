// One HTTP/2 connection: its session, its calls, its age, and what it makes the process hold.

import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { Call, CallHost } from './call.js';
import { failure, statusHead } from './head.js';
import type { HeldBytes, Holder } from './held-bytes.js';
import type { Inflater } from './inflate.js';
import {
  BUSY_PING_MS,
  CALL_BYTES,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  MAX_HEAD_BYTES,
  MAX_STREAMS,
  MAX_TINY_PIECES,
  type TransportLimits,
} from './limits.js';
import type { Refusals } from './refusals.js';
import type { Route } from './routes.js';
import { MessageStreamCall } from './streaming-call.js';
import { UnaryCall } from './unary-call.js';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;
/** No stream has a higher number: none is refused by a GOAWAY that names it. */
const LAST_STREAM = 2 ** 31 - 1;
const MAX_AGE = Buffer.from('max_age');

export interface ConnectionContext {
  readonly routes: ReadonlyMap<string, Route>;
  readonly limits: TransportLimits;
  readonly held: HeldBytes;
  readonly inflater: Inflater;
  readonly refusals: Refusals;
}

export class Connection implements CallHost, Holder {
  readonly address: string;
  readonly peer: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #context: ConnectionContext;
  readonly #calls = new Set<Call>();
  readonly #bornMs = performance.now();
  /** A tenth more or less, so that connections made together do not end together. */
  readonly #ageMs: number;
  #idleSinceMs = performance.now();
  #isReady = false;
  /** When the client was asked to make no more calls, and when it was given the number of the last. */
  #retiringSinceMs: number | undefined;
  #isLastCallGiven = false;
  #pingSinceMs: number | undefined;
  #lastPingMs = 0;
  #quietSinceMs = performance.now();
  #bytesRead = 0;
  /** Since the last sweep. */
  #tinyPieces = 0;

  /** @param address the key by which connections of one caller count together */
  constructor(socket: Socket, address: string, context: ConnectionContext) {
    this.address = address;
    this.peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#context = context;
    this.#ageMs = context.limits.maxConnectionAgeMs * (0.9 + Math.random() / 5);
    this.#session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEAD_BYTES },
    });
    this.#session.on('stream', (stream, headers) => this.#open(stream, headers));
    this.#session.once('remoteSettings', () => {
      this.#isReady = true;
    });
    this.#session.on('error', () => {
      context.refusals.count('protocol', this.peer);
      this.destroy();
    });
    this.closed = new Promise((resolve) => {
      this.#session.once('close', () => {
        socket.destroy();
        context.held.forget(this);
        resolve();
      });
    });
  }

  clientNames(): string | undefined {
    const socket = this.#socket;
    return socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subjectaltname : undefined;
  }

  hold(bytes: number): void {
    if (!this.#session.destroyed) this.#context.held.take(this, bytes);
  }

  giveBack(bytes: number): void {
    this.#context.held.giveBack(this, bytes);
  }

  countTinyPiece(): void {
    if (++this.#tinyPieces !== MAX_TINY_PIECES) return;
    this.#context.refusals.count('tinyFrames', this.peer);
    // At once: what else was read with this frame has no call any more, and costs little.
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
    this.#socket.destroy();
  }

  forget(call: Call): void {
    this.#calls.delete(call);
    this.#idleSinceMs = performance.now();
  }

  evict(): void {
    this.#context.refusals.count('heldMost', this.peer);
    // Not within the session's own callback, in which it reads what came.
    setImmediate(() => {
      this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
      this.#socket.destroy();
    });
  }

  /** Since when it has no call under way; undefined: it has one. */
  get idleSinceMs(): number | undefined {
    return this.#calls.size === 0 ? this.#idleSinceMs : undefined;
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  /** Takes no more calls, and closes when those under way have ended. Calls that are refused by it, a client makes again. */
  close(): void {
    this.#retiringSinceMs ??= performance.now();
    this.#isLastCallGiven = true;
    if (!this.#session.closed) this.#session.close();
  }

  /** Ends what is too late, on the connection and in its calls. */
  sweep(nowMs: number): void {
    if (this.#session.destroyed) return;
    this.#tinyPieces = 0;
    if (!this.#isReady && nowMs - this.#bornMs > this.#context.limits.handshakeTimeoutMs) {
      this.#context.refusals.count('handshake', this.peer);
      return this.destroy();
    }
    if (this.#sweepCalls(nowMs) || this.#sweepAge(nowMs)) return;
    this.#sweepSilence(nowMs);
  }

  /** @returns whether the connection was ended */
  #sweepCalls(nowMs: number): boolean {
    const { limits, refusals } = this.#context;
    for (const call of this.#calls) {
      const late = call.sweep(nowMs, limits.messageTimeoutMs);
      if (late === 'stuck') {
        this.destroy();
        return true;
      }
      if (late) refusals.count(late, this.peer);
    }
    return false;
  }

  /** First the client is asked to make no more calls, then it has some time in which those on their way still count. */
  #sweepAge(nowMs: number): boolean {
    const { maxConnectionIdleMs, maxConnectionAgeGraceMs } = this.#context.limits;
    if (this.#retiringSinceMs === undefined) {
      const idleMs = this.#calls.size === 0 ? nowMs - this.#idleSinceMs : 0;
      if (nowMs - this.#bornMs < this.#ageMs && idleMs < maxConnectionIdleMs) return false;
      this.#retiringSinceMs = nowMs;
      this.#session.goaway(NGHTTP2_NO_ERROR, LAST_STREAM, MAX_AGE);
      return false;
    }
    if (!this.#isLastCallGiven) this.close();
    if (nowMs - this.#retiringSinceMs < maxConnectionAgeGraceMs) return false;
    this.destroy();
    return true;
  }

  /**
   * Asks a silent connection whether it is alive. And one that has sent something: where the client has broken the
   * protocol, the session sends a GOAWAY and nothing more, no PING either; it says nothing of it, and never ends.
   */
  #sweepSilence(nowMs: number): void {
    const { bytesRead } = this.#socket;
    const hasSent = bytesRead !== this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (hasSent) this.#quietSinceMs = nowMs;
    const isIdle = this.#calls.size === 0;
    if (this.#pingSinceMs === undefined) {
      const isDue = hasSent && (isIdle || nowMs - this.#lastPingMs > BUSY_PING_MS);
      if (isDue || nowMs - this.#quietSinceMs > KEEPALIVE_MS) this.#ping(nowMs);
      return;
    }
    const waitedMs = nowMs - this.#pingSinceMs;
    const isUnsent = (this.#session.state.outboundQueueSize ?? 0) > 0;
    const isDead = isUnsent && (isIdle ? !hasSent : waitedMs > this.#context.limits.messageTimeoutMs);
    if (isDead) this.#context.refusals.count('protocol', this.peer);
    if (isDead || waitedMs > (isIdle ? IDLE_TIMEOUT_MS : KEEPALIVE_TIMEOUT_MS)) this.destroy();
  }

  #ping(nowMs: number): void {
    this.#pingSinceMs = this.#lastPingMs = nowMs;
    this.#session.ping(() => this.#answered());
  }

  #answered(): void {
    this.#pingSinceMs = undefined;
    // The answer is no news.
    this.#bytesRead = this.#socket.bytesRead;
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (!`${headers['content-type']}`.startsWith('application/grpc')) return refuse(stream, { ':status': 415 });
    if (headers[':method'] !== 'POST') return refuse(stream, { ':status': 405, allow: 'POST' });
    const route = this.#context.routes.get(`${headers[':path']}`);
    if (!route) return refuse(stream, statusHead(failure(status.UNIMPLEMENTED, 'there is no such method here')));
    const { admission, shape } = route;
    if (!admission || admission.open(shape.path)) return this.#begin(stream, headers, route);
    // A client may reset the stream while it waits.
    stream.on('error', () => {});
    this.hold(CALL_BYTES);
    const settle = (next: () => void): void => {
      this.giveBack(CALL_BYTES);
      if (!stream.closed && !stream.destroyed) next();
    };
    admission.wait(shape.path, {
      accept: () => settle(() => this.#begin(stream, headers, route)),
      refuse: () => settle(() => refuse(stream, route.refusalHead)),
    });
  }

  #begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, route: Route): void {
    const { requestStream, responseStream } = route.shape;
    const call =
      requestStream || responseStream
        ? new MessageStreamCall(this, route, stream, headers)
        : new UnaryCall(this, route, stream, headers, this.#context.inflater);
    this.#calls.add(call);
    call.begin();
  }
}

/** Answers with a head alone, and reads nothing. */
function refuse(stream: ServerHttp2Stream, head: Record<string, unknown>): void {
  stream.on('error', () => {});
  stream.respond(head as Parameters<typeof stream.respond>[0], { endStream: true });
  stream.resume();
  setImmediate(() => stream.close(NGHTTP2_NO_ERROR));
}
