// One stream of WatchRevocations, from its start to its end.

import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type { WatchRevocationsRequest, WatchRevocationsResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Connection } from '../connection.js';
import type { Failure } from '../retry.js';

export interface StreamHandlers {
  readonly message: (message: WatchRevocationsResponse) => void;
  /**
   * Called once, unless the stream is closed here.
   * @param isOffered whether the service has such streams at all
   */
  readonly ended: (failure: Failure, isOffered: boolean) => void;
}

const ENDED: Failure = { kind: 'unreachable', reason: 'the service has ended the stream', retryAfterMs: undefined };

export class FeedStream {
  readonly connection: Connection;
  readonly #stream: ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;
  #isOver = false;

  constructor(connection: Connection, { message, ended }: StreamHandlers) {
    this.connection = connection;
    this.#stream = connection.watchRevocations();
    const end = (failure: Failure, isOffered = true): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      ended(failure, isOffered);
    };
    this.#stream.on('data', (each: WatchRevocationsResponse) => {
      if (!this.#isOver) message(each);
    });
    this.#stream.on('error', (error: ServiceError) =>
      end(connection.failureOf(error), error.code !== status.UNIMPLEMENTED),
    );
    this.#stream.on('end', () => end(ENDED));
    this.#stream.write({ start: {}, ping: undefined });
  }

  ping(id: number, urgent: boolean): void {
    if (!this.#isOver) this.#stream.write({ start: undefined, ping: { id, urgent } });
  }

  close(): void {
    this.#isOver = true;
    this.#stream.cancel();
  }
}
