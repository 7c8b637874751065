// One gRPC call by Node's HTTP/2 client, byte by byte: its head, its messages, and the status that it ends with.

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

export interface Ended {
  /** Undefined: the stream ended without one. */
  readonly status: number | undefined;
  readonly details: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly rstCode: number | undefined;
}

export interface OpenCall {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<Ended>;
}

export function openCall(session: ClientHttp2Session, path: string, more: IncomingHttpHeaders = {}): OpenCall {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...more },
  });
  const headers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on('response', (head) => Object.assign(headers, head));
  stream.on('trailers', (head) => Object.assign(headers, head));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  const ended = new Promise<Ended>((resolve) => {
    stream.on('close', () => {
      const status = headers['grpc-status'] === undefined ? undefined : Number(headers['grpc-status']);
      const details = decodeURIComponent(`${headers['grpc-message'] ?? ''}`);
      resolve({ status, details, headers, body: Buffer.concat(chunks), rstCode: stream.rstCode });
    });
  });
  return { stream, ended };
}

/** A whole call. @param body the request's messages with their prefixes */
export function call(
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  more: IncomingHttpHeaders = {},
): Promise<Ended> {
  const { stream, ended } = openCall(session, path, more);
  stream.end(body);
  return ended;
}
