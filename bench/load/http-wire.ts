// A minimal HTTP/1.1 client connection: one request at a time, and only responses with a Content-Length.

import { connect, type Socket } from 'node:net';
import { type Call, type Ended, isRight, type Outcome, type Prepared, type Wire } from './call.js';

const HEAD_END = Buffer.from('\r\n\r\n');
const OK = 'HTTP/1.1 200 ';
const UNAVAILABLE = 'HTTP/1.1 503 ';
const LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;

type Headers = Readonly<Record<string, string>>;

function headOf(method: string, path: string, headers: Headers): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}`;
}

/** What makes the bytes of requests from bearer tokens. @param headers by name */
export function bearerCalls(path: string, headers: Headers): (token: Uint8Array) => Prepared {
  const head = Buffer.from(`${headOf('GET', path, headers)}authorization: Bearer `);
  return (token) => ({ bytes: Buffer.concat([head, token, HEAD_END]), streamAt: [], parts: [] });
}

/** What makes the bytes of requests from their bodies. @param headers by name */
export function httpCalls(path: string, headers: Headers): (body: Uint8Array) => Prepared {
  const head = headOf('POST', path, headers);
  return (body) => {
    const bytes = Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n\r\n`), body]);
    return { bytes, streamAt: [], parts: [] };
  };
}

export class HttpWire implements Wire {
  readonly #socket: Socket;
  readonly #waiting: { readonly call: Call; readonly ended: Ended }[] = [];
  #open: { readonly call: Call; readonly ended: Ended } | undefined;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#fail());
    socket.on('error', () => {});
  }

  static async open(host: string, port: number): Promise<HttpWire> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new HttpWire(socket);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  get underWay(): number {
    return (this.#open ? 1 : 0) + this.#waiting.length;
  }

  call(call: Call, ended: Ended): void {
    if (this.#socket.destroyed) ended('failed');
    else this.#waiting.push({ call, ended });
  }

  flush(): void {
    if (this.#open) return;
    this.#open = this.#waiting.shift();
    if (this.#open) this.#socket.write(this.#open.call.prepared.bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const headEnd = this.#rest.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#rest.toString('latin1', 0, headEnd + 2);
    const start = headEnd + HEAD_END.length;
    const end = start + Number(LENGTH.exec(head)?.[1] ?? 0);
    if (this.#rest.length < end) return;
    const body = this.#rest.subarray(start, end);
    this.#rest = this.#rest.subarray(end);
    const open = this.#open;
    this.#open = undefined;
    open?.ended(outcomeOf(open.call, head, body));
    this.flush();
  }

  #fail(): void {
    const open = this.#open ? [this.#open] : [];
    this.#open = undefined;
    for (const { ended } of [...open, ...this.#waiting.splice(0)]) ended('failed');
  }
}

function outcomeOf(call: Call, head: string, body: Buffer): Outcome {
  if (head.startsWith(UNAVAILABLE)) return 'refused';
  return head.startsWith(OK) && isRight(call, body) ? 'answered' : 'failed';
}
