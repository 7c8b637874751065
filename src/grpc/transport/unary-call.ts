// A call with one request message and one response.

import { type StatusObject, status } from '@grpc/grpc-js';
import { Call } from './call.js';
import type { CallHost, IncomingRequest } from './call-host.js';
import { failure, OK } from './head.js';
import type { Inflater } from './inflate.js';
import { INCOMPLETE, type Message } from './message-reader.js';
import { StatusError, type UnaryHandler } from './method.js';
import type { Route } from './routes.js';

const NO_MESSAGE = failure(status.UNIMPLEMENTED, 'the call has no request message');
const SECOND_MESSAGE = failure(status.UNIMPLEMENTED, 'the call has a second request message');
const NOT_DECODED = failure(status.INVALID_ARGUMENT, 'the request is not a valid message');

export class UnaryCall extends Call {
  readonly #handler: UnaryHandler<unknown, unknown>;
  readonly #inflater: Inflater;
  #hasMessage = false;

  constructor(host: CallHost<Call>, route: Route, request: IncomingRequest, inflater: Inflater) {
    super(host, route, request);
    this.#handler = route.handler as UnaryHandler<unknown, unknown>;
    this.#inflater = inflater;
  }

  protected get isReading(): boolean {
    return !this.#hasMessage;
  }

  /** The message is handled when the client ends the request, which shows that no second message follows. */
  protected onBytes(): void {
    const { announced } = this.reader;
    if (announced !== undefined && this.reader.pending > announced) this.end(SECOND_MESSAGE);
  }

  protected onRequestEnd(): void {
    const message = this.reader.next();
    if (!message) throw new StatusError(this.reader.pending === 0 ? NO_MESSAGE : INCOMPLETE);
    this.#hasMessage = true;
    if (message.isCompressed) void this.#unpack(message);
    else this.#handle(message.bytes);
  }

  protected onEnding(): void {}

  async #unpack({ bytes }: Message): Promise<void> {
    try {
      const unpacked = await this.#inflater.unpack(bytes, this.header('grpc-encoding'), this.route.maxRequestBytes);
      if (this.isCancelled) return;
      this.hold(unpacked.length);
      if (!this.isCancelled) this.#handle(unpacked);
      this.giveBack(unpacked.length);
    } catch (error) {
      this.fail(error);
    }
  }

  #handle(bytes: Buffer): void {
    let request: unknown;
    try {
      request = this.route.shape.requestDeserialize(bytes);
    } catch {
      return this.end(NOT_DECODED);
    }
    this.dropRequest();
    this.#handler(request, this, (end, response) => this.#answer(end, response));
  }

  #answer(end: StatusObject | null, response: unknown): void {
    if (this.isCancelled) return;
    if (end !== null && end.code !== status.OK) return this.end(end);
    try {
      this.send(response, () => {});
    } catch (error) {
      this.end(failure(status.INTERNAL, 'the response cannot be encoded'));
      throw error;
    }
    this.end(end ?? OK);
  }
}
