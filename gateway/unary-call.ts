// Owns one call on a channel: a message out, a message back, and how it ended. Knows nothing of what it says.

import { type ChannelInterface, Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';

/** A method as the generated code describes it. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** How a call ended: with an answer, or with the reason why there is none. */
export type End<Response> =
  | { readonly failure: StatusObject; readonly answer?: undefined }
  | { readonly failure?: undefined; readonly answer: Response };

/**
 * Makes a call as the library's client would, but without what that does for each call and nobody here asks for: an emitter of
 * events, a chain of interceptors, and the caller's stack, which costs as much as the rest of the client's work.
 * @param deadline when it fails at the latest, Unix time, ms
 */
export function callUnary<Request, Response>(
  channel: ChannelInterface,
  { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
  request: Request,
  { metadata, deadline }: { readonly metadata: Metadata; readonly deadline: number },
  ended: (end: End<Response>) => void,
): void {
  let bytes: Buffer;
  try {
    bytes = requestSerialize(request);
  } catch (error) {
    const details = `Request message serialization failure: ${error instanceof Error ? error.message : error}`;
    return ended({ failure: { code: status.INTERNAL, details, metadata: new Metadata() } });
  }
  const call = channel.createCall(path, deadline, undefined, null, undefined);
  let answer: Response | undefined;
  let unreadable: StatusObject | undefined;
  let isOver = false;
  call.start(metadata, {
    onReceiveMetadata: () => {},
    onReceiveMessage: (message: Buffer) => {
      try {
        answer = responseDeserialize(message);
      } catch (error) {
        const details = `Response message parsing error: ${error instanceof Error ? error.message : error}`;
        unreadable = { code: status.INTERNAL, details, metadata: new Metadata() };
        call.cancelWithStatus(unreadable.code, details);
      }
    },
    onReceiveStatus: (end) => {
      if (isOver) return;
      isOver = true;
      if (unreadable) ended({ failure: unreadable });
      else if (end.code !== status.OK) ended({ failure: end });
      else if (answer !== undefined) ended({ answer });
      else ended({ failure: { ...end, code: status.UNIMPLEMENTED, details: 'No message received' } });
    },
  });
  call.startRead();
  call.sendMessageWithContext({}, bytes);
  call.halfClose();
}

/** The error that the library would make of a failure. */
export const errorOf = ({ code, details, metadata }: StatusObject): ServiceError =>
  Object.assign(new Error(`${code} ${status[code]}: ${details}`), { code, details, metadata });
