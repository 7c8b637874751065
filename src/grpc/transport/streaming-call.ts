// A streaming call: its handler reads and writes messages one at a time.

import { type Metadata, status } from '@grpc/grpc-js';
import { Call } from './call.js';
import type { CallHost, IncomingRequest } from './call-host.js';
import { failure, OK } from './head.js';
import type { Inflater } from './inflate.js';
import { INCOMPLETE, type Message } from './message-reader.js';
import { CallEnded, StatusError, type StreamingCall, type StreamingHandler } from './method.js';
import type { Route } from './routes.js';

export class MessageStreamCall extends Call implements StreamingCall<unknown, unknown> {
  readonly ended: Promise<void>;
  readonly #handler: StreamingHandler<unknown, unknown>;
  readonly #inflater: Inflater;
  readonly #resolveEnded: () => void;
  #waiting: ((message: Message | undefined) => void) | undefined;
  #take: ((request: unknown) => void) | undefined;
  #rejectWrite: ((error: Error) => void) | undefined;
  #hasMessage = false;
  #hasAll = false;

  constructor(host: CallHost<Call>, route: Route, request: IncomingRequest, inflater: Inflater) {
    super(host, route, request);
    this.#inflater = inflater;
    this.#handler = route.handler as StreamingHandler<unknown, unknown>;
    const { promise, resolve } = deferred();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  override begin(): void {
    super.begin();
    if (this.isCancelled) return;
    this.#handler(this).then(
      () => this.end(OK),
      (error) => this.fail(error),
    );
  }

  async read(): Promise<unknown> {
    const message = this.reader.next() ?? (await this.#wait());
    if (!message || this.isCancelled) return undefined;
    this.#hasMessage = true;
    const bytes = message.isCompressed ? await this.#unpack(message) : message.bytes;
    return this.isCancelled ? undefined : this.#decode(bytes);
  }

  async readEach(take: (request: unknown) => void): Promise<void> {
    this.#take = take;
    for (let request = await this.read(); request !== undefined; request = await this.read()) take(request);
  }

  sendMetadata(metadata: Metadata): void {
    this.response.metadata = metadata;
  }

  write(response: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.isCancelled) return reject(new CallEnded());
      this.#rejectWrite = reject;
      this.send(response, resolve);
    });
  }

  /** Only the first message has a time limit here. The handler decides how long to wait for later ones. */
  protected get isReading(): boolean {
    return !this.#hasMessage;
  }

  /** While a complete message waits for the handler, the stream is paused, so the flow-control window stays closed. */
  protected onBytes(): void {
    if (this.#waiting) this.#handOver();
    if (this.reader.pending >= (this.reader.announced ?? Number.POSITIVE_INFINITY)) this.stream.pause();
  }

  protected onRequestEnd(): void {
    this.#hasAll = true;
    if (this.#waiting && this.reader.pending > 0) throw new StatusError(INCOMPLETE);
    this.#resume(undefined);
  }

  protected onEnding(): void {
    this.#resolveEnded();
    this.#resume(undefined);
    this.#rejectWrite?.(new CallEnded());
  }

  /** Without a promise where it can: a client may send thousands of small messages. */
  #handOver(): void {
    for (let message = this.reader.next(); message; message = this.reader.next()) {
      if (!this.#take || message.isCompressed) return this.#resume(message);
      this.#take(this.#decode(message.bytes));
    }
  }

  #decode(bytes: Buffer): unknown {
    try {
      return this.route.shape.requestDeserialize(bytes);
    } catch {
      throw new StatusError(failure(status.INVALID_ARGUMENT, 'the request is not a valid message'));
    }
  }

  #unpack({ bytes }: Message): Promise<Buffer> {
    return this.#inflater.unpack(bytes, this.header('grpc-encoding'), this.route.maxRequestBytes);
  }

  async #wait(): Promise<Message | undefined> {
    if (this.isCancelled) return undefined;
    if (this.#hasAll && this.reader.pending > 0) throw new StatusError(INCOMPLETE);
    if (this.#hasAll) return undefined;
    this.stream.resume();
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #resume(message: Message | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(message);
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
