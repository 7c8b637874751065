// A fake Redis server (RESP2) for tests, which answers scripts as a test says, also with malformed data.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** An answer as it is in the protocol. */
export const RESP = {
  nil: '$-1\r\n',
  nilList: '*-1\r\n',
  text: (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`,
  number: (number: number) => `:${number}\r\n`,
  error: (message: string) => `-${message}\r\n`,
  list: (...items: readonly string[]) => `*${items.length}\r\n${items.join('')}`,
};

const RUN_ID = 'a'.repeat(40);
const INFO: Readonly<Record<string, string>> = {
  server: `run_id:${RUN_ID}\r\n`,
  replication: `role:master\r\nmaster_replid:${RUN_ID}\r\nmaster_replid2:${'0'.repeat(40)}\r\n`,
  memory: 'maxmemory_policy:noeviction\r\n',
  persistence: 'loading:0\r\naof_enabled:1\r\n',
};

export class RespServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The answer to a command in lower case, now or later; undefined: as a Redis with nothing in it. */
  answer: (command: string, args: readonly string[]) => string | undefined | Promise<string | undefined> = () =>
    undefined;
  /** The commands so far, in lower case. */
  readonly commands: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#join(socket));
  }

  static async start(): Promise<RespServer> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RespServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let rest = '';
    // Commands of one connection are taken up one after the other, as Redis does.
    let answered = Promise.resolve();
    socket.setEncoding('latin1').on('data', (data: string) => {
      rest += data;
      for (;;) {
        const request = take(rest);
        if (!request) return;
        rest = request.rest;
        answered = answered.then(async () => void socket.write(await this.#reply(request.words)));
      }
    });
  }

  async #reply([name = '', ...args]: readonly string[]): Promise<string> {
    const command = name.toLowerCase();
    this.commands.push(command);
    return (await this.answer(command, args)) ?? usual(command, args);
  }
}

/** The first request of what has come, and what follows it; undefined: it is not all there. */
function take(text: string): { readonly words: readonly string[]; readonly rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (!head) return undefined;
  let rest = text.slice(head[0].length);
  const words: string[] = [];
  for (let n = 0; n < Number(head[1]); n++) {
    const size = /^\$(\d+)\r\n/.exec(rest);
    if (!size) return undefined;
    const [from, to] = [size[0].length, size[0].length + Number(size[1])];
    if (rest.length < to + 2) return undefined;
    words.push(rest.slice(from, to));
    rest = rest.slice(to + 2);
  }
  return { words, rest };
}

function usual(command: string, args: readonly string[]): string {
  if (command === 'role') return RESP.list(RESP.text('master'), RESP.number(0), RESP.list());
  if (command === 'time') {
    const nowMs = Date.now();
    return RESP.list(RESP.text(`${Math.floor(nowMs / 1000)}`), RESP.text(`${(nowMs % 1000) * 1000}`));
  }
  if (command === 'info') return RESP.text(INFO[args[0] ?? ''] ?? '');
  if (command === 'config') return RESP.list(RESP.text('save'), RESP.text(''));
  // A read of that many keys, all missing.
  if (command.startsWith('eval')) return RESP.list(...Array.from({ length: Number(args[1]) }, () => RESP.nil));
  return '+OK\r\n';
}
