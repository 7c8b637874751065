// A gRPC connection as small as it can be: frames that are written whole and read by their headers alone.
// So the load is measured, and not its client: a call costs the client some microseconds.

import { connect, type Socket } from 'node:net';
import { type Call, type Ended, isRight, type Outcome, type Part, type Wire } from './call.js';
import {
  ACK,
  DATA,
  END_STREAM,
  EXHAUSTED,
  FIRST_WINDOW_BYTES,
  FRAME_BYTES,
  frame,
  GOAWAY,
  HEADERS,
  MAX_CONCURRENT_STREAMS,
  MAX_WINDOW_BYTES,
  OK,
  PING,
  PREFIX_BYTES,
  RST_STREAM,
  SETTING_BYTES,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.js';

interface Open {
  readonly call: Call;
  readonly ended: Ended;
  /** The message, as far as it has come; it may be in several frames. */
  message: Buffer;
}

/** What of a call is still to be sent. */
interface Rest {
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
  sent: number;
}

const NOTHING = Buffer.alloc(0);

/** One connection. What the server has no room for, in its window or its streams, waits. */
export class GrpcWire implements Wire {
  readonly #socket: Socket;
  readonly #open = new Map<number, Open>();
  readonly #waiting: { readonly call: Call; readonly ended: Ended }[] = [];
  #nextStream = 1;
  #window = FIRST_WINDOW_BYTES;
  #maxStreams = Number.POSITIVE_INFINITY;
  #unread: Buffer = NOTHING;
  /** The window ended within it: nothing may come between its frames and the window to come. */
  #unsent: Rest | undefined;
  #out: Buffer[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#fail());
    socket.on('error', () => {});
  }

  static async open(host: string, port: number): Promise<GrpcWire> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const wire = new GrpcWire(socket);
    // No table for headers, no pushes, and windows of ours that are never full.
    const settings = Buffer.from([0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
    const room = Buffer.alloc(4);
    room.writeUInt32BE(MAX_WINDOW_BYTES - FIRST_WINDOW_BYTES);
    socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    socket.write(Buffer.concat([frame(SETTINGS, 0, 0, settings), frame(WINDOW_UPDATE, 0, 0, room)]));
    return wire;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  get underWay(): number {
    return this.#open.size + this.#waiting.length;
  }

  call(call: Call, ended: Ended): void {
    if (this.#socket.destroyed) ended('failed');
    else if (this.#hasRoom(call)) this.#send(call, ended);
    else this.#waiting.push({ call, ended });
  }

  flush(): void {
    if (this.#out.length === 0) return;
    this.#socket.write(this.#out.length === 1 ? (this.#out[0] ?? '') : Buffer.concat(this.#out));
    this.#out = [];
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(call: Call, ended: Ended): void {
    const { bytes: model, streamAt, parts } = call.prepared;
    const bytes = Buffer.from(model);
    for (const at of streamAt) bytes.writeUInt32BE(this.#nextStream, at);
    this.#open.set(this.#nextStream, { call, ended, message: NOTHING });
    this.#nextStream += 2;
    this.#push({ bytes, parts, sent: 0 });
  }

  /** Sends as many parts as the window takes. */
  #push(rest: Rest): void {
    const from = rest.parts[rest.sent - 1]?.end ?? 0;
    let end = from;
    for (let part = rest.parts[rest.sent]; part && part.dataBytes <= this.#window; part = rest.parts[++rest.sent]) {
      this.#window -= part.dataBytes;
      end = part.end;
    }
    if (end > from) this.#out.push(rest.bytes.subarray(from, end));
    this.#unsent = rest.sent < rest.parts.length ? rest : undefined;
  }

  #read(chunk: Buffer): void {
    let bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (bytes.length >= FRAME_BYTES) {
      const end = FRAME_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#take(bytes[3] ?? 0, bytes[4] ?? 0, bytes.readUInt32BE(5), bytes.subarray(FRAME_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#unread = bytes;
    if (this.#unsent) this.#push(this.#unsent);
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.call); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#send(next.call, next.ended);
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
    if (type === DATA) open.message = open.message.length === 0 ? payload : Buffer.concat([open.message, payload]);
    const ends = type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0);
    if (!ends) return;
    this.#open.delete(stream);
    open.ended(outcomeOf(open, type === HEADERS ? payload : NOTHING));
  }

  #hasRoom({ prepared: { parts } }: Call): boolean {
    return !this.#unsent && (parts[0]?.dataBytes ?? 0) <= this.#window && this.#open.size < this.#maxStreams;
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

/** @param trailers the last headers, with the status; the message must be whole, for it has its own length */
function outcomeOf({ call, message }: Open, trailers: Buffer): Outcome {
  if (trailers.includes(EXHAUSTED)) return 'refused';
  const whole = message.length >= PREFIX_BYTES && message.readUInt32BE(1) === message.length - PREFIX_BYTES;
  const good = trailers.includes(OK) && whole && isRight(call, message.subarray(PREFIX_BYTES));
  return good ? 'answered' : 'failed';
}
