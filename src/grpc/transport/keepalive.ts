// The PINGs that detect clients that are gone, and sessions that no longer work.

import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import {
  BUSY_PING_MS,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  LASTING_KEEPALIVE_MS,
  LASTING_TIMEOUT_MS,
} from './limits.js';

/** Which calls of a connection are under way. */
export type CallState = 'idle' | 'busy' | 'lasting';

/** How long a client has to answer a PING, ms. */
const ANSWER_MS: Readonly<Record<CallState, number>> = {
  idle: IDLE_TIMEOUT_MS,
  busy: KEEPALIVE_TIMEOUT_MS,
  lasting: LASTING_TIMEOUT_MS,
};

export class Keepalive {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #unsentTimeoutMs: number;
  #pingSinceMs: number | undefined;
  /** The last PING; before the first one, the start of the connection. */
  #lastPingMs = performance.now();
  #quietSinceMs = performance.now();
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Whether the client has sent something, and the session has written nothing in a later sweep. */
  #isUnproven = false;

  /** @param unsentTimeoutMs how long a client with calls under way may read nothing, not even a PING */
  constructor(session: ServerHttp2Session, socket: Socket, unsentTimeoutMs: number) {
    this.#session = session;
    this.#socket = socket;
    this.#unsentTimeoutMs = unsentTimeoutMs;
  }

  /**
   * Pings a silent connection, and also one that has sent something: after a protocol error Node's session sends a
   * GOAWAY and then nothing, no PING either. It reports no error and never ends. A session that writes messages works,
   * so it gets a PING only once a minute: with a thousand streams, PINGs were a twentieth of all that was written. It
   * does get one, because what it writes may not arrive.
   * @param calls `idle`: none is under way; `lasting`: one is that must not end unnoticed
   * @returns `silent`: the client does not answer; `broken`: the session no longer sends; undefined: neither
   */
  sweep(nowMs: number, calls: CallState): 'silent' | 'broken' | undefined {
    const isIdle = calls === 'idle';
    const { bytesRead, bytesWritten } = this.#socket;
    const hasSent = bytesRead !== this.#bytesRead;
    // The GOAWAY is written before the sweep that sees the bytes that it is for.
    const isUnproven = this.#isUnproven && bytesWritten === this.#bytesWritten;
    this.#bytesRead = bytesRead;
    this.#bytesWritten = bytesWritten;
    this.#isUnproven = hasSent || isUnproven;
    if (hasSent) this.#quietSinceMs = nowMs;
    if (this.#pingSinceMs === undefined) {
      const isSilent = calls === 'lasting' && nowMs - this.#quietSinceMs > LASTING_KEEPALIVE_MS;
      const mostMs = isSilent ? LASTING_KEEPALIVE_MS : KEEPALIVE_MS;
      const apartMs = !isIdle && isUnproven ? BUSY_PING_MS : mostMs;
      if ((isIdle && hasSent) || nowMs - this.#lastPingMs > apartMs) this.#ping(nowMs);
      return undefined;
    }
    const waitedMs = nowMs - this.#pingSinceMs;
    const isUnsent = (this.#session.state.outboundQueueSize ?? 0) > 0;
    if (isUnsent && (isIdle ? !hasSent : waitedMs > this.#unsentTimeoutMs)) return 'broken';
    return waitedMs > ANSWER_MS[calls] ? 'silent' : undefined;
  }

  #ping(nowMs: number): void {
    this.#pingSinceMs = this.#lastPingMs = nowMs;
    this.#isUnproven = false;
    this.#session.ping(() => {
      this.#pingSinceMs = undefined;
      // The answer to a PING does not count as activity.
      this.#bytesRead = this.#socket.bytesRead;
    });
  }
}
