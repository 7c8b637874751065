// An HTTP/2 client that sends any frames, also those that the protocol forbids.

import { connect, type Socket } from 'node:net';
import { EventWaits } from './waiting.js';

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
export const FLAG = { ACK: 1, END_STREAM: 1, END_HEADERS: 4 };
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEAD_BYTES = 9;
const INITIAL_WINDOW = 65_535;
export const INITIAL_WINDOW_SIZE = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A gRPC message. @param length what its prefix says, if that is not true */
export function message(bytes: Uint8Array, { compressed = false, length = bytes.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A literal header that enters no table (RFC 7541, section 6.2.2), each text shorter than 127 bytes or sent in full length. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const size = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>>= 7) size.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...size, rest]), bytes]);
}

export function headerBlock(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  const headers = {
    ...{ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost' },
    ...{ 'content-type': 'application/grpc', te: 'trailers', ...more },
  };
  return Buffer.concat(Object.entries(headers).map(([name, value]) => literal(name, value)));
}

export class RawHttp2 {
  readonly frames: Frame[] = [];
  readonly #socket: Socket;
  readonly #waits = new EventWaits();
  #buffer = Buffer.alloc(0);
  #nextStream = 1;
  /** What the connection's window lets through still. */
  window = INITIAL_WINDOW;
  isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#waits.look();
    });
  }

  /** @param address `host:port`; @param settings by number */
  static async open(address: string, settings: Readonly<Record<number, number>> = {}): Promise<RawHttp2> {
    const at = address.lastIndexOf(':');
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    const raw = new RawHttp2(socket);
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', () => resolve());
    });
    const payload = Object.entries(settings).map(([name, value]) => {
      const entry = Buffer.alloc(6);
      entry.writeUInt16BE(Number(name), 0);
      entry.writeUInt32BE(value, 2);
      return entry;
    });
    raw.write(Buffer.concat([Buffer.from(PREFACE), frame(FRAME.SETTINGS, 0, 0, Buffer.concat(payload))]));
    return raw;
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** Opens a stream with a call's head. @returns its number */
  call(path: string, more: Readonly<Record<string, string>> = {}): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.write(frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, headerBlock(path, more)));
    return stream;
  }

  data(stream: number, bytes: Uint8Array, end = false): void {
    this.window -= bytes.length;
    this.write(frame(FRAME.DATA, end ? FLAG.END_STREAM : 0, stream, bytes));
  }

  /** Resolves once it holds, asked after whatever comes. */
  until(holds: () => boolean): Promise<void> {
    return this.#waits.until(holds);
  }

  /** How many streams have ended, by an answer or a reset. */
  get ended(): number {
    return this.endedStreams().size;
  }

  endedStreams(): Set<number> {
    const ends = ({ type, flags }: Frame): boolean =>
      type === FRAME.RST_STREAM || ((type === FRAME.DATA || type === FRAME.HEADERS) && (flags & FLAG.END_STREAM) !== 0);
    return new Set(this.frames.filter(ends).map(({ stream }) => stream));
  }

  /** What the heads and trailers of the connection say of a name, as far as they are not compressed by Huffman. */
  of(type: number): Frame[] {
    return this.frames.filter((each) => each.type === type);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Ends the connection as a process does that is killed: by a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= HEAD_BYTES) {
      const length = this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < HEAD_BYTES + length) break;
      const payload = this.#buffer.subarray(HEAD_BYTES, HEAD_BYTES + length);
      const [type = 0, flags = 0] = this.#buffer.subarray(3, 5);
      const stream = this.#buffer.readUInt32BE(5) & 0x7fffffff;
      this.#buffer = this.#buffer.subarray(HEAD_BYTES + length);
      this.frames.push({ type, flags, stream, payload });
      if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
      if (type === FRAME.PING && (flags & FLAG.ACK) === 0) this.write(frame(FRAME.PING, FLAG.ACK, 0, payload));
      if (type === FRAME.WINDOW_UPDATE && stream === 0) this.window += payload.readUInt32BE(0);
    }
    this.#waits.look();
  }
}
