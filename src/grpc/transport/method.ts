// The types between the transport and a service: methods, handlers, calls and admission.

import type { Metadata, StatusObject } from '@grpc/grpc-js';

/** The name of a method in log lines and metrics. @param path `/package.Service/Method` */
export const methodOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The head of a call, and whether the call still runs. */
export interface IncomingCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Unix ms; Infinity if the client sets none. */
  readonly deadlineMs: number;
  /**
   * Whether the call ended without a response: the client cancelled it, its deadline passed, or its connection closed.
   */
  readonly isCancelled: boolean;
  /** The remote address of the connection. */
  readonly peer: string;
  /** A header of the request. For a repeated header: the first, or all of them joined, as Node does it. */
  header(name: string): string | undefined;
  /** The subject alternative names of a verified client certificate, as Node writes them. */
  clientNames(): string | undefined;
}

/** Ends a call with a response, or with a status that says why there is none. OK's metadata becomes trailers. */
export type Answer<Response> = (status: StatusObject | null, response?: Response) => void;

export type UnaryHandler<Request, Response> = (request: Request, call: IncomingCall, answer: Answer<Response>) => void;

/** A call whose handler reads and writes messages one at a time. */
export interface StreamingCall<Request, Response> extends IncomingCall {
  /** The next message; undefined: the client sends no more messages, or the call has ended. */
  read(): Promise<Request | undefined>;
  /**
   * Calls `take` with each further message, without a promise for each. What `take` throws ends the call, as an error of
   * the handler does. Resolves when the client sends no more messages, or the call has ended.
   */
  readEach(take: (request: Request) => void): Promise<void>;
  /** Adds metadata to the head of the response, before the first message. */
  sendMetadata(metadata: Metadata): void;
  /** Resolves once the message is sent. @throws CallEnded if the call ends before that */
  write(response: Response): Promise<void>;
  /** Does the same without a promise, for a call that has not ended. @param sent not called if the call ends before */
  send(response: Response, sent: () => void): void;
  /** Ends the call with a status. */
  end(status: StatusObject): void;
  /** Resolves when the call has ended. */
  readonly ended: Promise<void>;
}

/** When it resolves, the status is OK. A StatusError that it throws gives the status; any other error is INTERNAL. */
export type StreamingHandler<Request, Response> = (call: StreamingCall<Request, Response>) => Promise<void>;

/** A method of a generated service definition. */
export interface MethodShape {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The transport decodes and encodes. `never` accepts every message type. */
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (response: never) => Buffer;
}

type HandlerOf<Method> = Method extends {
  readonly requestStream: infer Requests;
  readonly responseStream: infer Responses;
  readonly requestDeserialize: (bytes: Buffer) => infer Request;
  readonly responseSerialize: (response: infer Response) => Buffer;
}
  ? [Requests, Responses] extends [false, false]
    ? UnaryHandler<Request, Response>
    : StreamingHandler<Request, Response>
  : never;

/** A handler for each method of a service definition. */
export type Handlers<Definition> = { readonly [name in keyof Definition]: HandlerOf<Definition[name]> };

/** Decides which calls are accepted when their streams open, because a refusal is cheap then. */
export interface CallAdmission {
  /** @returns whether a call may begin now */
  open(path: string): boolean;
  /** Queues a call that may not begin now. Exactly one of the two callbacks is called, once. */
  wait(path: string, waiting: { accept(): void; refuse(): void }): void;
  /** The status of a refused call. */
  readonly rejection: StatusObject;
}

/** The rules by which the transport treats a method. */
export interface MethodRules {
  /** The most bytes of one request message. */
  readonly maxRequestBytes: number;
  /**
   * Whether its calls last, and their clients must notice soon that a connection is gone: it is pinged after 10 s
   * without a byte from the client, which has 5 s to answer.
   */
  readonly isLasting?: boolean;
  /** Absent: every call is accepted. */
  readonly admission?: CallAdmission;
  /** Checks a call when its head has arrived. @returns the status with which to end it before its message is read */
  readonly onHead?: (call: IncomingCall) => StatusObject | undefined;
}

/** A status to end a call with. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: StatusObject;

  constructor(status: StatusObject) {
    super(status.details);
    this.status = status;
  }
}

/** The call ended before everything was written. */
export class CallEnded extends Error {
  override readonly name = 'CallEnded';

  constructor() {
    super('the call has ended');
  }
}
