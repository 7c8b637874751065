// Sentinels that say what a test wants: which server is the primary, by which epoch, and for how long by their own clocks.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const NAME = 'main';

/** What all of them say. */
export interface SentinelView {
  /** The primary's address; default: this machine's. */
  readonly ip?: string;
  /** The primary's, on this machine. */
  readonly port: number;
  readonly configEpoch: number;
  /** For how long it has been the primary, as a Sentinel says by its wall clock, ms. */
  readonly roleReportedMs: number;
}

/** The fields of SENTINEL MASTER, in the order in which Redis 7 sends them. */
function fieldsOf(
  { ip = '127.0.0.1', port, configEpoch, roleReportedMs }: SentinelView,
  others: number,
): readonly string[] {
  const fields = {
    name: NAME,
    ip,
    port,
    runid: '0123456789abcdef0123456789abcdef01234567',
    flags: 'master',
    'link-pending-commands': 0,
    'link-refcount': 1,
    'last-ping-sent': 0,
    'last-ok-ping-reply': 100,
    'last-ping-reply': 100,
    'down-after-milliseconds': 1_500,
    'info-refresh': 500,
    'role-reported': 'master',
    'role-reported-time': roleReportedMs,
    'config-epoch': configEpoch,
    'num-slaves': 1,
    'num-other-sentinels': others,
    quorum: 2,
    'failover-timeout': 5_000,
    'parallel-syncs': 1,
  };
  return Object.entries(fields).flatMap(([key, value]) => [key, `${value}`]);
}

export class ScriptedSentinels {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #view: SentinelView;
  #mute = false;

  private constructor(view: SentinelView) {
    this.#view = view;
  }

  static async start(view: SentinelView, count = 3): Promise<ScriptedSentinels> {
    const sentinels = new ScriptedSentinels(view);
    for (let n = 0; n < count; n++) {
      const server = createServer((socket) => sentinels.#serve(socket, count - 1));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      sentinels.#servers.push(server);
    }
    return sentinels;
  }

  get url(): string {
    return this.urlOf(this.#servers.length);
  }

  /** Names only some of them. */
  urlOf(count: number): string {
    const places = this.#servers.slice(0, count).map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
    return `redis+sentinel://${places.join(',')}/${NAME}`;
  }

  /** From now on all of them say so. */
  say(view: SentinelView): void {
    this.#view = view;
    this.#mute = false;
  }

  /** Until `say` none of them answers. */
  mute(): void {
    this.#mute = true;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map(async (server) => {
        server.close();
        await once(server, 'close');
      }),
    );
  }

  #serve(socket: Socket, others: number): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {});
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const { commands, left } = readCommands(rest + text);
      rest = left;
      for (const command of commands) if (!this.#mute) socket.write(this.#answer(command, others));
    });
  }

  #answer([name = '', of = '']: readonly string[], others: number): string {
    if (name.toUpperCase() !== 'SENTINEL') return '+OK\r\n';
    if (of.toUpperCase() !== 'MASTER') return '-ERR the test has no answer to this\r\n';
    const words = fieldsOf(this.#view, others);
    return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  }
}

/** The whole commands at the start of a text, each an array of bulk strings of ASCII, and what is left of it. */
function readCommands(text: string): { readonly commands: readonly string[][]; readonly left: string } {
  const commands: string[][] = [];
  let left = text;
  for (;;) {
    const count = Number(/^\*(\d+)\r\n/.exec(left)?.[1] ?? Number.NaN);
    const lines = left.split('\r\n');
    // One line for the count, two for each string, and what comes after the last end of line.
    if (Number.isNaN(count) || lines.length < 2 * count + 2) return { commands, left };
    commands.push(Array.from({ length: count }, (_, n) => lines[2 * n + 2] ?? ''));
    left = lines.slice(2 * count + 1).join('\r\n');
  }
}
