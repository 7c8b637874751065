// The connection as its calls see it, and a request as it comes from there.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

export interface CallHost<Call> {
  readonly peer: string;
  clientNames(): string | undefined;
  /** Counts bytes that the call holds. It may end the connection. */
  hold(bytes: number): void;
  giveBack(bytes: number): void;
  /** Counts a DATA frame with very few bytes. It may end the connection. */
  countTinyPiece(): void;
  /** A fault of the program has ended a call. @param path of its method */
  failed(path: string, error: unknown): void;
  /** The call has ended and holds no bytes. */
  forget(call: Call): void;
}

/** A request as Node's session emits it. */
export interface IncomingRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}
