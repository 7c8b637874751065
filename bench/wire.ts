// Owns a gRPC client as small as it can be, so that the load, and not who makes it, is measured: frames of HTTP/2 that
// are written whole and read by their headers alone (RFC 9113, RFC 7541). A call costs it some microseconds.

import { connect, type Socket } from 'node:net';

/** How a call ended: answered, refused as RESOURCE_EXHAUSTED, or otherwise. */
export type Outcome = 'answered' | 'refused' | 'failed';
export type Ended = (outcome: Outcome) => void;

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const FRAME_BYTES = 9;
/** What the server lets us send on a connection before it has taken it (RFC 9113, section 6.9.2). */
const FIRST_WINDOW_BYTES = 65_535;
/** Setting 3 of six bytes each: how many streams the server takes at once. One that has more is cut off by Node. */
const MAX_CONCURRENT_STREAMS = 3;
const SETTING_BYTES = 6;
const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** `grpc-status: 8` as nghttp2 writes it without a table: a new name in Huffman's code, and one plain digit. */
const EXHAUSTED = Buffer.from('889acac8b21234da8f0138', 'hex');

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
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

interface Open {
  readonly template: Template;
  readonly ended: Ended;
  right: boolean;
}

/** One connection. What the server has no room for, in its window or its streams, waits. */
export class Wire {
  readonly #socket: Socket;
  readonly #open = new Map<number, Open>();
  readonly #waiting: { readonly template: Template; readonly ended: Ended }[] = [];
  #nextStream = 1;
  #window = FIRST_WINDOW_BYTES;
  #maxStreams = Number.POSITIVE_INFINITY;
  #rest: Buffer = Buffer.alloc(0);
  #out: Buffer[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#fail());
    socket.on('error', () => {});
  }

  static async open(host: string, port: number): Promise<Wire> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const wire = new Wire(socket);
    // No table for headers, no pushes, and windows of ours that are never full.
    const settings = Buffer.from([0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
    const room = Buffer.alloc(4);
    room.writeUInt32BE(MAX_WINDOW_BYTES - FIRST_WINDOW_BYTES);
    socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    socket.write(Buffer.concat([frame(SETTINGS, 0, 0, settings), frame(WINDOW_UPDATE, 0, 0, room)]));
    return wire;
  }

  get underWay(): number {
    return this.#open.size + this.#waiting.length;
  }

  /** Begins a call; it goes out with the next `flush`. */
  call(template: Template, ended: Ended): void {
    if (this.#socket.destroyed) ended('failed');
    else if (this.#hasRoom(template)) this.#send(template, ended);
    else this.#waiting.push({ template, ended });
  }

  flush(): void {
    if (this.#out.length === 0) return;
    this.#socket.write(this.#out.length === 1 ? (this.#out[0] ?? '') : Buffer.concat(this.#out));
    this.#out = [];
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(template: Template, ended: Ended): void {
    const bytes = Buffer.from(template.bytes);
    for (const at of template.streamAt) bytes.writeUInt32BE(this.#nextStream, at);
    this.#open.set(this.#nextStream, { template, ended, right: false });
    this.#nextStream += 2;
    this.#window -= template.dataBytes;
    this.#out.push(bytes);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= FRAME_BYTES) {
      const end = FRAME_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#take(bytes[3] ?? 0, bytes[4] ?? 0, bytes.readUInt32BE(5), bytes.subarray(FRAME_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.template); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#send(next.template, next.ended);
    }
    this.flush();
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === SETTINGS && (flags & ACK) === 0) this.#obey(payload);
    else if (type === PING && (flags & ACK) === 0) this.#out.push(frame(PING, ACK, 0, Buffer.from(payload)));
    else if (type === GOAWAY) this.#socket.destroy();
    else if (type === WINDOW_UPDATE && stream === 0) this.#window += payload.readUInt32BE(0);
    const open = this.#open.get(stream);
    if (!open) return;
    if (type === DATA && payload.includes(open.template.wanted)) open.right = true;
    const refused = type === HEADERS && payload.includes(EXHAUSTED);
    const ends = type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0);
    if (!ends) return;
    this.#open.delete(stream);
    open.ended(refused ? 'refused' : open.right ? 'answered' : 'failed');
  }

  #hasRoom({ dataBytes }: Template): boolean {
    return dataBytes <= this.#window && this.#open.size < this.#maxStreams;
  }

  #obey(settings: Buffer): void {
    for (let at = 0; at < settings.length; at += SETTING_BYTES) {
      if (settings.readUInt16BE(at) === MAX_CONCURRENT_STREAMS) this.#maxStreams = settings.readUInt32BE(at + 2);
    }
    this.#out.push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
  }

  #fail(): void {
    for (const { ended } of [...this.#open.values(), ...this.#waiting.splice(0)]) ended('failed');
    this.#open.clear();
  }
}
