// The response of a call: its head, its messages, its trailers, and how long the client has not read them.

import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { responseHead, statusHead, trailers } from './head.js';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

export class Response {
  /** Sent in the head if it is set before the first message. */
  metadata: Metadata | undefined;
  readonly #stream: ServerHttp2Stream;
  #hasHead = false;
  #isEnding = false;
  #isAbandoned = false;
  /** Since when bytes are waiting that the client has not read. */
  #sendingSinceMs: number | undefined;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** The status is set: no more messages follow. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** The stream was cancelled, but it may not have closed yet. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  isUnread(nowMs: number, timeoutMs: number): boolean {
    return this.#sendingSinceMs !== undefined && nowMs - this.#sendingSinceMs > timeoutMs;
  }

  /** @param framed a message with its prefix. @param flushed called once it fits into the flow-control window */
  write(framed: Buffer, flushed: () => void): void {
    if (!this.#hasHead) this.#stream.respond(responseHead(this.metadata), { waitForTrailers: true });
    this.#hasHead = true;
    this.#sendingSinceMs = performance.now();
    this.#stream.write(framed, () => {
      if (!this.#isEnding) this.#sendingSinceMs = undefined;
      flushed();
    });
  }

  /** Sends the status after the messages that are being sent. */
  end(status: StatusObject): void {
    if (!this.#hasHead) return this.endWith(statusHead(status));
    this.#begin();
    this.#stream.end();
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(trailers(status));
      this.#stopRequest();
    });
  }

  /** Sends a head only. */
  endWith(head: ReturnType<typeof statusHead>): void {
    this.#begin();
    this.#stream.respond(head, { endStream: true });
    this.#stopRequest();
  }

  /** Cancels the stream, which frees the bytes in both directions. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#stream.close(NGHTTP2_CANCEL);
  }

  #begin(): void {
    this.#isEnding = true;
    this.#sendingSinceMs ??= performance.now();
  }

  /** Asks the client to stop sending, because the response is complete (RFC 9113, section 8.1). */
  #stopRequest(): void {
    const stream = this.#stream;
    if (stream.readableEnded) return;
    // The rest of the request is dropped until the client stops.
    stream.resume();
    setImmediate(() => stream.close(NGHTTP2_NO_ERROR));
  }
}
