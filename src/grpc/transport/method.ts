// What the transport knows of a service: its methods, their handlers, and the calls that handlers get.

import type { Metadata, StatusObject } from '@grpc/grpc-js';

/** As much of a call as its head says, and whether it still goes on. */
export interface IncomingCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Unix ms; Infinity if the client sets none. */
  readonly deadlineMs: number;
  /** Whether the call has ended before its answer was given: the client cancelled it, its time is up, or its connection is gone. */
  readonly isCancelled: boolean;
  /** The address of the other end of the connection. */
  readonly peer: string;
  /** A header of the request; of one that came several times, the first or all of them joined, as Node does it. */
  header(name: string): string | undefined;
  /** The subject alternative names of a verified client certificate, as Node writes them. */
  clientNames(): string | undefined;
}

/** Ends a call, with a response or with a status that says why there is none. Metadata of an OK status becomes trailers. */
export type Answer<Response> = (status: StatusObject | null, response?: Response) => void;

export type UnaryHandler<Request, Response> = (request: Request, call: IncomingCall, answer: Answer<Response>) => void;

/** A call whose handler reads and writes messages one at a time. */
export interface StreamingCall<Request, Response> extends IncomingCall {
  /** The next message; undefined: the client sends no more, or the call has ended. */
  read(): Promise<Request | undefined>;
  /** Adds to the head of the response, before the first message. */
  sendMetadata(metadata: Metadata): void;
  /** Resolves once the message is on its way. @throws CallEnded if the call ends before that */
  write(response: Response): Promise<void>;
  /** Ends the call with a status. */
  end(status: StatusObject): void;
  /** Resolves when the call has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** Its end is status OK; a StatusError that it throws is the status, anything else INTERNAL. */
export type StreamingHandler<Request, Response> = (call: StreamingCall<Request, Response>) => Promise<void>;

/** A method of a generated service definition. */
export interface MethodShape {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The transport decodes and encodes; `never` lets every message type in. */
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

/** Decides which calls are taken, as their streams open. A refusal then costs little. */
export interface CallAdmission {
  /** @returns whether a call may go on now */
  open(path: string): boolean;
  /** Lets a call wait that may not go on now. One of the two is called, once. */
  wait(path: string, waiting: { accept(): void; refuse(): void }): void;
  /** The status of a call that is refused. */
  readonly refusal: StatusObject;
}

/** What else the transport is told of a method. */
export interface MethodRules {
  /** The most bytes of one request message. */
  readonly maxRequestBytes: number;
  /** Absent: every call is taken. */
  readonly admission?: CallAdmission;
  /** Looks at a call when its head has come. @returns the status of a call that is refused before its message is read */
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

/** The call has ended before all was written. */
export class CallEnded extends Error {
  override readonly name = 'CallEnded';

  constructor() {
    super('the call has ended');
  }
}
