// Real Redis servers for tests: each on a free port of this machine, in a folder of its own, gone when it is stopped.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endAtExit } from './children.js';
import { freePort } from './free-ports.js';
import { untilReported } from './waiting.js';

const START_LIMIT_MS = 40_000;
const MISSING =
  'redis-server is not on the PATH: run `bash test/support/ensure-redis.sh`, or install it ' +
  '(Debian: apt-get install redis-server; macOS: brew install redis)';

export class RedisServer {
  readonly port: number;
  /** Where it keeps its data. */
  readonly folder: string;
  readonly #args: readonly string[];
  readonly #password: string | undefined;
  #process: ChildProcess | undefined;
  #raw: Redis | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#args = args;
    const at = args.indexOf('--requirepass');
    this.#password = at < 0 ? undefined : args[at + 1];
  }

  /** Starts a server, and waits until it answers. It keeps nothing on disk, unless an argument says so. */
  static start(...args: readonly string[]): Promise<RedisServer> {
    return RedisServer.startAt(freePort, args);
  }

  /** Starts a server with a configuration file, which it can rewrite. @param settings its first lines */
  static startWithFile(settings: readonly string[], port = freePort): Promise<RedisServer> {
    return RedisServer.startAt(port, [], settings);
  }

  private static async startAt(
    port: () => Promise<number>,
    args: readonly string[],
    settings?: readonly string[],
  ): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-redis-'));
    const file = join(folder, 'redis.conf');
    for (let attempt = 1; ; attempt++) {
      if (settings) await writeFile(file, settings.map((line) => `${line}\n`).join(''));
      const server = new RedisServer(await port(), folder, settings ? [file, ...args] : args);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        // Another process may have taken the port in between.
        if (attempt < 3 && !(error instanceof Error && error.message === MISSING)) continue;
        await server.stop();
        throw error;
      }
    }
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** With the password, if it has one. */
  get url(): string {
    const credentials = this.#password === undefined ? '' : `:${encodeURIComponent(this.#password)}@`;
    return `redis://${credentials}127.0.0.1:${this.port}`;
  }

  /** A client of the test's own, which waits as long as it takes. */
  get raw(): Redis {
    this.#raw ??= new Redis(this.url, { retryStrategy: () => 20, maxRetriesPerRequest: null }).on('error', () => {});
    return this.#raw;
  }

  /** The server goes on to accept connections, and answers nothing. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends the server as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Starts a killed server again, on the same port and folder. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Ends the server as `kill` does, and removes its data. */
  async forget(): Promise<void> {
    await this.kill();
    const names = await readdir(this.folder);
    await Promise.all(names.map((name) => rm(join(this.folder, name), { recursive: true })));
  }

  /** How often a command has run since the server's start or its last CONFIG RESETSTAT. */
  async calls(command: string): Promise<number> {
    const stats = await this.raw.info('commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  }

  /** Closes every connection but the test's own. */
  async cutConnections(): Promise<void> {
    await this.raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }

  /** Ends the server, and removes all that it wrote. */
  async stop(): Promise<void> {
    this.#raw?.disconnect();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder];
    // Who is followed would wait 5 s for more followers before it sends what it has.
    const fixed = [...place, '--save', '', '--repl-diskless-sync-delay', '0'];
    // A file must come first.
    const [first = '', ...rest] = this.#args;
    const args = first.startsWith('/') ? [first, ...fixed, ...rest] : [...fixed, ...this.#args];
    this.#process = await launch(args, this.url, (child) => {
      this.#process = child;
    });
  }
}

/**
 * Starts redis-server, and waits until it answers. A test run that dies does not leave it behind.
 * @param begun called with the process before it answers, so that it can be ended if it never does
 */
export async function launch(
  args: readonly string[],
  url: string,
  begun: (child: ChildProcess) => void,
): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  begun(child);
  endAtExit(child);
  const failed = once(child, 'exit').then(
    () => {
      throw new Error(`redis-server ended at its start (${args.join(' ')})`);
    },
    () => {
      throw new Error(MISSING);
    },
  );
  await Promise.race([answers(url), failed]);
  failed.catch(() => {});
  return child;
}

async function answers(url: string): Promise<void> {
  const probe = new Redis(url, { lazyConnect: true, retryStrategy: () => 10, enableReadyCheck: false });
  probe.on('error', () => {});
  try {
    await untilReported(async () => (await probe.ping()) === 'PONG', START_LIMIT_MS);
  } finally {
    probe.disconnect();
  }
}
