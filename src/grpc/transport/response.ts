// The response of a call: its head, its messages, its trailers, and since when the client has not taken them.

import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { responseHead, statusHead, trailers } from './head.js';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

export class Response {
  /** Joins the head, if it is set before the first message. */
  metadata: Metadata | undefined;
  readonly #stream: ServerHttp2Stream;
  #hasHead = false;
  #isEnding = false;
  #isAbandoned = false;
  /** Since when something is on its way to the client that it has not taken. */
  #sendingSinceMs: number | undefined;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Its status is given: nothing more is sent after what is on its way. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** The client was given up, but its stream cannot be ended. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  isUnread(nowMs: number, timeoutMs: number): boolean {
    return this.#sendingSinceMs !== undefined && nowMs - this.#sendingSinceMs > timeoutMs;
  }

  /** @param framed a message with its prefix. @param flushed called once the client's window has taken it */
  write(framed: Buffer, flushed: () => void): void {
    if (!this.#hasHead) this.#stream.respond(responseHead(this.metadata), { waitForTrailers: true });
    this.#hasHead = true;
    this.#sendingSinceMs = performance.now();
    this.#stream.write(framed, () => {
      if (!this.#isEnding) this.#sendingSinceMs = undefined;
      flushed();
    });
  }

  /** Sends the status, after what is on its way. */
  end(status: StatusObject): void {
    if (!this.#hasHead) return this.endWith(statusHead(status));
    this.#begin();
    this.#stream.end();
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(trailers(status));
      this.#stopRequest();
    });
  }

  /** Sends a head alone. */
  endWith(head: ReturnType<typeof statusHead>): void {
    this.#begin();
    this.#stream.respond(head, { endStream: true });
    this.#stopRequest();
  }

  /** Gives the stream up: what is on its way in either direction is freed. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#stream.close(NGHTTP2_CANCEL);
  }

  #begin(): void {
    this.#isEnding = true;
    this.#sendingSinceMs ??= performance.now();
  }

  /** The client may stop sending: all is answered (RFC 9113, section 8.1). */
  #stopRequest(): void {
    const stream = this.#stream;
    if (stream.readableEnded) return;
    // Its rest is thrown away until the client knows.
    stream.resume();
    setImmediate(() => stream.close(NGHTTP2_NO_ERROR));
  }
}
