// Owns the frames of HTTP/2 that a unary gRPC call is made of, and the numbers in them (RFC 9113, RFC 7541).

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
/** What the server lets us send on a connection before it has taken it (RFC 9113, section 6.9.2). */
export const FIRST_WINDOW_BYTES = 65_535;
/** Setting 3 of six bytes each: how many streams the server takes at once. One that has more is cut off by Node. */
export const MAX_CONCURRENT_STREAMS = 3;
export const SETTING_BYTES = 6;
export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** `grpc-status: 8` as nghttp2 writes it without a table: a new name in Huffman's code, and one plain digit. */
export const EXHAUSTED = Buffer.from('889acac8b21234da8f0138', 'hex');

export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

const sized = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

/** A call's frames; the stream's number is written into a copy of them. */
export interface Template {
  readonly bytes: Buffer;
  /** Where the two frames have it. */
  readonly streamAt: readonly [number, number];
  readonly dataBytes: number;
  /** What an answer must hold to count as right. */
  readonly wanted: Buffer;
}

/** @param timeout the call's deadline, as in `2S` */
export function template(path: string, message: Uint8Array, wanted: Buffer, timeout: string): Template {
  const headers = Buffer.concat([
    // POST, http, then the path, the authority and the content type by the names of the static table.
    Buffer.from([0x83, 0x86, 0x04]),
    sized(path),
    Buffer.from([0x01]),
    sized('localhost'),
    Buffer.from([0x0f, 0x10]),
    sized('application/grpc'),
    ...['te', 'trailers', 'grpc-timeout', timeout].map((text, index) =>
      Buffer.concat([Buffer.from(index % 2 === 0 ? [0] : []), sized(text)]),
    ),
  ]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const data = Buffer.concat([prefix, message]);
  const first = frame(HEADERS, END_HEADERS, 0, headers);
  const bytes = Buffer.concat([first, frame(DATA, END_STREAM, 0, data)]);
  return { bytes, streamAt: [5, first.length + 5], dataBytes: data.length, wanted };
}
