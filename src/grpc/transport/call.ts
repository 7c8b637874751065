// One call: an HTTP/2 stream with its head, its deadline, the bytes that it holds, and its end.

import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type StatusObject, status } from '@grpc/grpc-js';
import type { CallHost, IncomingRequest } from './call-host.js';
import { Deadline } from './deadline.js';
import { failure } from './head.js';
import { CALL_BYTES, FREE_PIECES, TINY_BYTES } from './limits.js';
import { frameMessage } from './message-frame.js';
import { MessageReader } from './message-reader.js';
import { CallEnded, type IncomingCall, StatusError } from './method.js';
import { Response } from './response.js';
import type { Route } from './routes.js';

const FAULT = failure(status.INTERNAL, 'internal error');
const BAD_TIMEOUT = failure(status.INTERNAL, 'grpc-timeout must be one to eight digits and a unit');

/** The common part of unary and streaming calls. */
export abstract class Call implements IncomingCall {
  readonly path: string;
  readonly startMs = performance.now();
  protected readonly route: Route;
  protected readonly reader: MessageReader;
  protected readonly response: Response;
  protected readonly stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #host: CallHost<Call>;
  #deadline: Deadline | undefined;
  #held = 0;
  #pieces = 0;
  #isClosed = false;

  constructor(host: CallHost<Call>, route: Route, { stream, headers }: IncomingRequest) {
    this.path = route.shape.path;
    this.#host = host;
    this.route = route;
    this.stream = stream;
    this.#headers = headers;
    this.reader = new MessageReader(route.maxRequestBytes);
    this.response = new Response(stream);
    stream.on('close', () => this.#close());
    // A `close` event follows, and its handler does the rest.
    stream.on('error', () => {});
    this.hold(CALL_BYTES);
  }

  get peer(): string {
    return this.#host.peer;
  }

  get deadlineMs(): number {
    return this.#deadline?.atMs ?? Number.POSITIVE_INFINITY;
  }

  get isLasting(): boolean {
    return this.route.isLasting ?? false;
  }

  get isCancelled(): boolean {
    return this.#isClosed || this.response.isEnding || this.stream.destroyed || this.stream.closed;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  clientNames(): string | undefined {
    return this.#host.clientNames();
  }

  /**
   * The deadline counts from the head, also while the call waits for a place. @returns false if the head was invalid
   */
  startDeadline(): boolean {
    const text = this.#headers['grpc-timeout'];
    if (text === undefined) return true;
    this.#deadline = Deadline.start(String(text), () => this.#expire());
    if (!this.#deadline) this.end(BAD_TIMEOUT);
    return this.#deadline !== undefined;
  }

  /** Starts to read, unless the check of the head ends the call. */
  begin(): void {
    if (this.isCancelled) return;
    const refused = this.route.onHead?.(this);
    if (refused) return this.end(refused);
    this.stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.stream.on('end', () => {
      if (!this.isCancelled) this.guarded(() => this.onRequestEnd());
    });
  }

  /** Ends a call that has not begun. @param head prebuilt, because a refusal must be cheap */
  refuse(head: OutgoingHttpHeaders): void {
    if (!this.isCancelled) this.response.endWith(head);
  }

  /** Ends the call with a status, after the messages that are being sent. */
  end(end: StatusObject): void {
    if (this.isCancelled) return;
    this.response.end(end);
    this.onEnding();
    this.dropRequest();
  }

  /** Ends the call if it is late. @returns what was late; `stuck`: not even the status can be sent */
  sweep(nowMs: number, timeoutMs: number): 'lateMessage' | 'unreadAnswer' | 'stuck' | undefined {
    if (this.#isClosed) return undefined;
    if (this.response.isAbandoned) return 'stuck';
    if (this.response.isUnread(nowMs, timeoutMs)) {
      this.response.abandon();
      return 'unreadAnswer';
    }
    if (this.response.isEnding || !this.isReading || nowMs - this.startMs <= timeoutMs) return undefined;
    const details = `the request message was not complete within ${timeoutMs / 1000} s after the start of the call`;
    this.end(failure(status.DEADLINE_EXCEEDED, details));
    return 'lateMessage';
  }

  /** Whether the handler waits for a message. */
  protected abstract get isReading(): boolean;
  protected abstract onBytes(): void;
  /** @throws StatusError if the request may not end here */
  protected abstract onRequestEnd(): void;
  /** Called before the status is sent, or when the call has ended without one. */
  protected abstract onEnding(): void;

  /** Encodes and sends a message. @param flushed called once the message fits into the client's flow-control window */
  send(response: unknown, flushed: () => void): void {
    const framed = frameMessage(this.route.shape.responseSerialize(response as never));
    this.hold(framed.length);
    if (this.isCancelled) return;
    this.response.write(framed, () => {
      this.giveBack(framed.length);
      flushed();
    });
  }

  protected hold(bytes: number): void {
    this.#held += bytes;
    this.#host.hold(bytes);
  }

  protected giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#held);
    this.#held -= given;
    this.#host.giveBack(given);
  }

  /** Frees the bytes of the request. */
  protected dropRequest(): void {
    const { capacity } = this.reader;
    if (capacity === 0) return;
    this.reader.clear();
    this.giveBack(capacity);
  }

  /** Runs a step of reading. An error in it ends the call. */
  protected guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Ends the call because of an error. One without a status is a fault of the program: it is logged, and its text is
   * not sent, because it may hold secrets.
   */
  protected fail(error: unknown): void {
    if (error instanceof StatusError) return this.end(error.status);
    if (!(error instanceof CallEnded)) this.#host.failed(this.path, error);
    this.end(FAULT);
  }

  #onData(chunk: Buffer): void {
    this.#pieces++;
    if (chunk.length < TINY_BYTES && this.#pieces > FREE_PIECES) this.#host.countTinyPiece();
    if (this.isCancelled) return;
    const before = this.reader.capacity;
    this.guarded(() => {
      this.reader.push(chunk);
      const grown = this.reader.capacity - before;
      if (grown !== 0) this.hold(grown);
      this.onBytes();
    });
  }

  #expire(): void {
    // A response that the client has not read by the deadline is useless.
    if (this.response.isEnding) this.response.abandon();
    else this.end(failure(status.DEADLINE_EXCEEDED, 'the deadline of the call has passed'));
  }

  #close(): void {
    this.#isClosed = true;
    this.#deadline?.clear();
    if (!this.response.isEnding) this.onEnding();
    this.reader.clear();
    if (this.#held > 0) this.giveBack(this.#held);
    this.#host.forget(this);
  }
}
