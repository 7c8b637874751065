// Refuses calls of an overloaded service as their streams open, before gRPC builds a call and reads the message.

import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { Admission } from './admission.js';
import { OVERLOADED } from './status.js';

/** The services whose calls are refused. Health and reflection are always answered: a busy service is a live one. */
const SHED = /^\/auth\./;
/** The calls that end a session. */
const ENDING: ReadonlySet<string> = new Set(['/auth.v1.AuthService/Logout', '/auth.v1.IssuerService/RevokeSubject']);

/** A response of one header frame, which is what gRPC calls "trailers-only". Built once, because a refusal must cost little. */
const REFUSAL = {
  [constants.HTTP2_HEADER_STATUS]: constants.HTTP_STATUS_OK,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
  'grpc-status': OVERLOADED.code,
  'grpc-message': encodeURI(OVERLOADED.details),
  ...OVERLOADED.metadata.toHttp2Headers(),
};

/** Whether a call of this method ends a session, and is refused last. */
export const endsSession = (path: string): boolean => ENDING.has(path);

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;

/**
 * Puts admission before the gRPC library on all ports that a server listens on. A refusal by an interceptor of the library
 * costs two thirds of an answer, so that at twice the load that can be served nothing would be answered. Here it costs a third.
 * @throws Error if the library keeps its HTTP/2 servers elsewhere than it did
 */
export function refuseEarly(server: Server, admission: Admission): void {
  for (const http2 of http2ServersOf(server)) {
    const [accept, ...others] = http2.listeners('stream') as StreamListener[];
    if (!accept || others.length > 0) throw new Error('the gRPC library does not listen for streams as it did');
    http2.removeAllListeners('stream');
    http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => {
      const path = headers[':path'] ?? '';
      const ends = endsSession(path);
      if (!SHED.test(path) || admission.hasRoom(ends)) return accept(stream, headers, flags);
      // Until the library listens: a client may reset the stream while it waits, and needs no answer then.
      stream.once('error', () => {});
      const goOn = (): void => (stream.closed || stream.destroyed ? undefined : accept(stream, headers, flags));
      admission.wait(ends, { accept: goOn, refuse: () => refuse(stream) });
    });
  }
}

function refuse(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(REFUSAL, { endStream: true });
  // Discards the message, so that it does not use up the connection's window.
  stream.resume();
}

/** The library's private list: it offers no hook as cheap as this one. `test/grpc/overload.test.ts` fails if it changes. */
function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const servers = [...(http2Servers?.keys() ?? [])];
  if (servers.length === 0) throw new Error('the gRPC library keeps no list of HTTP/2 servers');
  return servers;
}
