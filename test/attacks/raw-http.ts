// HTTP as an attacker writes it: raw bytes in, answers out, parsed to the last byte.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../../src/platform/env.js';

/** One answer, taken apart. */
export interface RawAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection of an attacker. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received = '';
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.once('close', () => this.#wake());
  }

  /** @param options such as `allowHalfOpen` */
  static async open({ host, port }: Address): Promise<RawClient> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  get answers(): readonly RawAnswer[] {
    return parseAnswers(this.#received);
  }

  /** Sends bytes, each a character up to U+00FF. */
  send(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Waits until there are `count` answers or the connection has ended. */
  async awaitAnswers(count: number): Promise<void> {
    while (this.answers.length < count && !this.socket.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * Takes a stream of answers apart.
 * @throws Error if there is anything in it but whole answers: a byte too many could be taken for the next one
 */
export function parseAnswers(received: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = received; rest !== ''; ) {
    const [head = ''] = rest.split('\r\n\r\n', 1);
    const [line = '', ...lines] = head.split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(line) ?? [];
    if (status === undefined) throw new Error(`no answer: ${JSON.stringify(rest.slice(0, 100))}`);
    if (rest.length < head.length + 4) break;
    const headers = new Map(lines.map((each) => splitOnce(each, ': ')));
    const after = rest.slice(head.length + 4);
    // The answer to a HEAD has a length but no body.
    const length = after.startsWith('HTTP/1.1 ') || after === '' ? 0 : Number(headers.get('content-length') ?? 0);
    if (after.length < length) break;
    answers.push({ status: Number(status), headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
  return answers;
}

function splitOnce(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return [line.slice(0, at).toLowerCase(), line.slice(at + separator.length)];
}
