// One HTTP/2 connection: its session, its calls, its age, and the bytes that it holds.

import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Logger } from '../../platform/log.js';
import type { Call } from './call.js';
import type { CallHost } from './call-host.js';
import { ConnectionAge } from './connection-age.js';
import type { HeldBytes, Holder } from './held-bytes.js';
import { type CallState, Keepalive } from './keepalive.js';
import type { LimitLog } from './limit-log.js';
import { IDLE_TIMEOUT_MS, MAX_HEAD_BYTES, MAX_STREAMS, MAX_TINY_PIECES, type TransportLimits } from './limits.js';
import { methodOf } from './method.js';
import { type CallResources, openCall } from './open-call.js';

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;
const MEGABYTE = 1e6;

export interface ConnectionContext extends CallResources {
  readonly limits: TransportLimits;
  readonly held: HeldBytes;
  readonly limitLog: LimitLog;
  readonly log: Pick<Logger, 'error'>;
}

export class Connection implements CallHost<Call>, Holder {
  readonly address: string;
  readonly peer: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #context: ConnectionContext;
  readonly #keepalive: Keepalive;
  readonly #calls = new Set<Call>();
  readonly #age: ConnectionAge;
  #idleSinceMs = performance.now();
  /** Whether a call has ended on it. */
  #hadCalls = false;
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
    this.#age = new ConnectionAge(context.limits, performance.now());
    this.#session = performServerHandshake(socket, {
      // Node's default, 10 MB, would refuse calls while large responses are unread. `HeldBytes` limits those instead.
      maxSessionMemory: Math.ceil(context.limits.maxHeldBytes / MEGABYTE),
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEAD_BYTES },
    });
    this.#keepalive = new Keepalive(this.#session, socket, context.limits.messageTimeoutMs);
    this.#session.on('stream', (stream, headers) =>
      openCall(this, context, { stream, headers }, (call) => this.#calls.add(call)),
    );
    this.#session.once('remoteSettings', () => this.#age.ready());
    this.#session.on('error', (error) => {
      // A client that resets its socket does not violate the protocol. grpc-go ends each connection with a GOAWAY that
      // names a stream of its own, which nghttp2 rejects: after the last call, a violation harms no call.
      const isViolation = 'code' in error && `${error.code}`.startsWith('ERR_HTTP2');
      if (isViolation && !this.#hasEndedCalls) context.limitLog.count('protocol', this.peer);
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

  failed(path: string, err: unknown): void {
    this.#context.log.error({ method: methodOf(path), err }, 'a call could not be answered');
  }

  forget(call: Call): void {
    this.#calls.delete(call);
    this.#hadCalls = true;
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

  /** Whether it has had calls, and none is under way. */
  get #hasEndedCalls(): boolean {
    return this.#hadCalls && this.#calls.size === 0;
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
    this.#age.retire(performance.now());
    if (!this.#session.closed) this.#session.close();
  }

  /** Enforces the time limits of the connection and of its calls. */
  sweep(nowMs: number): void {
    if (this.#session.destroyed) return this.#sweepClosing(nowMs);
    this.#tinyPieces = 0;
    if (this.#age.isHandshakeLate(nowMs)) {
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
    const due = this.#age.due(nowMs, this.#calls.size === 0 ? nowMs - this.#idleSinceMs : 0);
    if (due === 'retire') this.close();
    if (due === 'end') this.destroy();
    return this.#session.destroyed;
  }
}
