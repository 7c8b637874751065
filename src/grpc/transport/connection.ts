// One HTTP/2 connection: its session, its calls, its age, and the bytes that it holds.

import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { Call, CallHost, IncomingRequest } from './call.js';
import { failure, responseToBadHead, statusHead } from './head.js';
import type { HeldBytes, Holder } from './held-bytes.js';
import type { Inflater } from './inflate.js';
import { type CallState, Keepalive } from './keepalive.js';
import type { LimitLog } from './limit-log.js';
import { IDLE_TIMEOUT_MS, MAX_HEAD_BYTES, MAX_STREAMS, MAX_TINY_PIECES, type TransportLimits } from './limits.js';
import { Response } from './response.js';
import type { Route } from './routes.js';
import { MessageStreamCall } from './streaming-call.js';
import { UnaryCall } from './unary-call.js';

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;
const MEGABYTE = 1e6;
const NO_SUCH_METHOD = statusHead(failure(status.UNIMPLEMENTED, 'there is no such method here'));

export interface ConnectionContext {
  readonly routes: ReadonlyMap<string, Route>;
  readonly limits: TransportLimits;
  readonly held: HeldBytes;
  readonly inflater: Inflater;
  readonly limitLog: LimitLog;
}

export class Connection implements CallHost, Holder {
  readonly address: string;
  readonly peer: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #context: ConnectionContext;
  readonly #keepalive: Keepalive;
  readonly #calls = new Set<Call>();
  readonly #bornMs = performance.now();
  /** Varied by a tenth, so that connections opened together do not end together. */
  readonly #ageMs: number;
  #idleSinceMs = performance.now();
  #isReady = false;
  /** Since when it accepts no more calls. */
  #retiringSinceMs: number | undefined;
  /** Since when its session has ended while its socket is still open. */
  #closingSinceMs: number | undefined;
  /** Since the last sweep. */
  #tinyPieces = 0;

  /** @param address the key by which the connections of one caller are counted together */
  constructor(socket: Socket, address: string, context: ConnectionContext) {
    this.address = address;
    this.peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#context = context;
    this.#ageMs = context.limits.maxConnectionAgeMs * (0.9 + Math.random() / 5);
    this.#session = performServerHandshake(socket, {
      // Node's default, 10 MB, would refuse calls while large responses are unread. `HeldBytes` limits those instead.
      maxSessionMemory: Math.ceil(context.limits.maxHeldBytes / MEGABYTE),
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEAD_BYTES },
    });
    this.#keepalive = new Keepalive(this.#session, socket, context.limits.messageTimeoutMs);
    this.#session.on('stream', (stream, headers) => this.#open(stream, headers));
    this.#session.once('remoteSettings', () => {
      this.#isReady = true;
    });
    this.#session.on('error', (error) => {
      // A client that resets its socket does not break the protocol.
      if ('code' in error && `${error.code}`.startsWith('ERR_HTTP2')) context.limitLog.count('protocol', this.peer);
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
    this.#context.limitLog.count('tinyFrames', this.peer);
    // At once, so that the other frames of the same read find no call and cost little.
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
    this.#socket.destroy();
  }

  forget(call: Call): void {
    this.#calls.delete(call);
    this.#idleSinceMs = performance.now();
  }

  evict(): void {
    this.#context.limitLog.count('heldMost', this.peer);
    // Deferred: this runs inside the session's read callback.
    setImmediate(() => {
      this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
      this.#socket.destroy();
    });
  }

  /** Since when no call is under way; undefined: a call is. */
  get idleSinceMs(): number | undefined {
    return this.#calls.size === 0 ? this.#idleSinceMs : undefined;
  }

  get #callState(): CallState {
    for (const call of this.#calls) if (call.isLasting) return 'lasting';
    return this.#calls.size === 0 ? 'idle' : 'busy';
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  /**
   * Accepts no more calls, and closes when those under way have ended. Its GOAWAY names the last accepted call, and the
   * client repeats later calls on another connection. RFC 9113, section 6.8, recommends an earlier GOAWAY that names no
   * call. That does not work here: Node's session accepts no call after any GOAWAY.
   */
  close(): void {
    this.#retiringSinceMs ??= performance.now();
    if (!this.#session.closed) this.#session.close();
  }

  /** Enforces the time limits of the connection and of its calls. */
  sweep(nowMs: number): void {
    if (this.#session.destroyed) return this.#sweepClosing(nowMs);
    this.#tinyPieces = 0;
    if (!this.#isReady && nowMs - this.#bornMs > this.#context.limits.handshakeTimeoutMs) {
      this.#context.limitLog.count('handshake', this.peer);
      return this.destroy();
    }
    if (this.#sweepCalls(nowMs) || this.#sweepAge(nowMs)) return;
    const fault = this.#keepalive.sweep(nowMs, this.#callState);
    if (fault === 'broken') this.#context.limitLog.count('protocol', this.peer);
    if (fault) this.destroy();
  }

  /** @returns whether the connection was ended */
  #sweepCalls(nowMs: number): boolean {
    const { limits, limitLog } = this.#context;
    for (const call of this.#calls) {
      const late = call.sweep(nowMs, limits.messageTimeoutMs);
      if (late === 'stuck') {
        this.destroy();
        return true;
      }
      if (late) limitLog.count(late, this.peer);
    }
    return false;
  }

  /** Node waits until the client also closes. A client that never does would hold the file descriptor. */
  #sweepClosing(nowMs: number): void {
    this.#closingSinceMs ??= nowMs;
    if (nowMs - this.#closingSinceMs > IDLE_TIMEOUT_MS) this.#socket.destroy();
  }

  /** @returns whether the connection was ended */
  #sweepAge(nowMs: number): boolean {
    const { maxConnectionIdleMs, maxConnectionAgeGraceMs } = this.#context.limits;
    if (this.#retiringSinceMs === undefined) {
      const idleMs = this.#calls.size === 0 ? nowMs - this.#idleSinceMs : 0;
      if (nowMs - this.#bornMs >= this.#ageMs || idleMs >= maxConnectionIdleMs) this.close();
      return this.#session.destroyed;
    }
    if (nowMs - this.#retiringSinceMs < maxConnectionAgeGraceMs) return false;
    this.destroy();
    return true;
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const refused = responseToBadHead(headers);
    if (refused) return refuse(stream, refused);
    const route = this.#context.routes.get(`${headers[':path']}`);
    if (!route) return refuse(stream, NO_SUCH_METHOD);
    const { admission, shape } = route;
    const call = this.#makeCall({ stream, headers }, route);
    this.#calls.add(call);
    if (!call.startDeadline()) return;
    if (!admission || admission.open(shape.path)) return call.begin();
    admission.wait(shape.path, { accept: () => call.begin(), refuse: () => call.refuse(route.rejectionHead) });
  }

  #makeCall(request: IncomingRequest, route: Route): Call {
    const { requestStream, responseStream } = route.shape;
    const { inflater } = this.#context;
    return requestStream || responseStream
      ? new MessageStreamCall(this, route, request, inflater)
      : new UnaryCall(this, route, request, inflater);
  }
}

/** Answers with a head only, and reads no message. */
function refuse(stream: ServerHttp2Stream, head: OutgoingHttpHeaders): void {
  stream.on('error', () => {});
  new Response(stream).endWith(head);
}
