// The HTTP/2 frames of a unary gRPC call, and the constants in them (RFC 9113, RFC 7541).

import type { Part, Prepared } from './call.js';

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const END_STREAM = 1;
const END_HEADERS = 4;
export const ACK = 1;
export const FRAME_BYTES = 9;
/** Where in a frame its stream's number is. */
const STREAM_AT = 5;
/** What the server lets us send on a connection, or a stream, before it has taken it (RFC 9113, section 6.9.2). */
export const FIRST_WINDOW_BYTES = 65_535;
/** The largest frame that every server takes (RFC 9113, section 4.2). */
const MAX_FRAME_BYTES = 16_384;
/** Setting 3 of six bytes each: how many streams the server takes at once. One that has more is cut off by Node. */
export const MAX_CONCURRENT_STREAMS = 3;
export const SETTING_BYTES = 6;
export const MAX_WINDOW_BYTES = 0x7fff_ffff;
/** Before a message: whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;

/** `grpc-status: 8` as nghttp2 writes it without a table: a new name in Huffman's code, and one plain digit. */
export const EXHAUSTED = Buffer.from('889acac8b21234da8f0138', 'hex');
/** `grpc-status: 0` */
export const OK = Buffer.from('889acac8b21234da8f0130', 'hex');

export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, STREAM_AT);
  return Buffer.concat([head, payload]);
};

const MAX_SHORT = 0x7f;

/** A text and its length, which from 127 on takes two bytes, or three (RFC 7541, section 5.1). */
function sized(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < MAX_SHORT) return Buffer.concat([Buffer.from([length]), Buffer.from(text)]);
  const rest = length - MAX_SHORT;
  const digits = rest < 0x80 ? [rest] : [(rest & 0x7f) | 0x80, rest >> 7];
  return Buffer.concat([Buffer.from([MAX_SHORT, ...digits]), Buffer.from(text)]);
}

/** The frame of headers that calls of a method begin with. @param metadata by lower-case names */
function headersOf(path: string, metadata: Readonly<Record<string, string>>): Buffer {
  const others = Object.entries({ te: 'trailers', ...metadata });
  const block = Buffer.concat([
    // POST, http, then the path, the authority and the content type by the names of the static table.
    Buffer.from([0x83, 0x86, 0x04]),
    sized(path),
    Buffer.from([0x01]),
    sized('localhost'),
    Buffer.from([0x0f, 0x10]),
    sized('application/grpc'),
    ...others.flatMap(([name, value]) => [Buffer.from([0]), sized(name), sized(value)]),
  ]);
  return frame(HEADERS, END_HEADERS, 0, block);
}

function dataFrames(message: Uint8Array): Buffer[] {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  const data = Buffer.concat([prefix, message]);
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; at += MAX_FRAME_BYTES) {
    const last = at + MAX_FRAME_BYTES >= data.length;
    frames.push(frame(DATA, last ? END_STREAM : 0, 0, data.subarray(at, at + MAX_FRAME_BYTES)));
  }
  return frames;
}

/** What makes the bytes of a method's calls from their messages, which must fit into a stream's first window. */
export function grpcCalls(path: string, metadata: Readonly<Record<string, string>>): (message: Uint8Array) => Prepared {
  const headers = headersOf(path, metadata);
  return (message) => {
    const data = dataFrames(message);
    const bytes = Buffer.concat([headers, ...data]);
    if (bytes.length > FIRST_WINDOW_BYTES) throw new Error(`a message of ${message.length} bytes is too large`);
    const parts: Part[] = [];
    const streamAt = [STREAM_AT];
    let end = headers.length;
    for (const { length } of data) {
      streamAt.push(end + STREAM_AT);
      end += length;
      // The headers go with the first.
      parts.push({ end, dataBytes: length - FRAME_BYTES });
    }
    return { bytes, streamAt, parts };
  };
}
