// One HTTP request over a connection of its own, with its header lines exactly as given.

import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; the first of each. */
  readonly headers: ReadonlyMap<string, string>;
}

/** @throws Error if no whole head arrives in 15 seconds */
export function rawRequest(port: number, path: string, lines: readonly string[]): Promise<RawAnswer> {
  const head = [`GET ${path} HTTP/1.1`, 'Host: orders.example.com', 'Connection: close', ...lines, '', ''];
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head.join('\r\n')));
    let found = '';
    socket.setTimeout(15_000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('latin1').on('data', (text) => {
      found += text;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = ''] = found.split('\r\n\r\n');
      const [first = '', ...rest] = head.split('\r\n');
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
      if (Number.isNaN(status)) return reject(new Error(`no HTTP answer: ${JSON.stringify(found.slice(0, 200))}`));
      const pairs = rest.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      });
      resolve({ status, headers: new Map(pairs.reverse()) });
    });
  });
}
