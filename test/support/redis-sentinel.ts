// A primary with two replicas and three Sentinels that watch them, all real processes of this machine, for tests.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-ports.js';
import { launch, RedisServer } from './redis-server.js';
import { answerWithin, untilReported } from './waiting.js';

const NAME = 'main';
const SENTINELS = 3;

export interface SentinelOptions {
  /** Lines of each server's configuration. */
  readonly settings?: readonly string[];
  /** After how long without an answer a server counts as down, ms. */
  readonly downAfterMs?: number;
  /** What the Sentinels ask for. */
  readonly password?: string;
}

/** One Sentinel. */
export class Sentinel {
  readonly port: number;
  readonly raw: Redis;
  readonly #folder: string;
  readonly #url: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, url: string) {
    this.port = port;
    this.#folder = folder;
    this.#url = url;
    this.raw = new Redis(url, { retryStrategy: () => 20, enableReadyCheck: false, maxRetriesPerRequest: null });
    this.raw.on('error', () => {});
  }

  static async start(primaryPort: number, { downAfterMs = 1_500, password }: SentinelOptions): Promise<Sentinel> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-sentinel-'));
    const port = await freePort();
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${NAME} 5000`,
      `sentinel parallel-syncs ${NAME} 2`,
      ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    ];
    await writeFile(join(folder, 'sentinel.conf'), lines.map((line) => `${line}\n`).join(''));
    const credentials = password === undefined ? '' : `:${password}@`;
    const sentinel = new Sentinel(port, folder, `redis://${credentials}127.0.0.1:${port}`);
    await sentinel.restart();
    return sentinel;
  }

  /** Starts it again where it was killed. */
  async restart(): Promise<void> {
    const args = [join(this.#folder, 'sentinel.conf'), '--sentinel'];
    await launch(args, this.#url, (child) => {
      this.#process = child;
    });
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** The port of the primary, as it says; undefined: it does not answer. */
  async primaryPort(): Promise<number | undefined> {
    const answer = await answerWithin(500, this.raw.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME));
    return Array.isArray(answer) ? Number(answer[1]) : undefined;
  }

  async stop(): Promise<void> {
    this.raw.disconnect();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export class SentinelWorld {
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly Sentinel[];

  private constructor(servers: readonly RedisServer[], sentinels: readonly Sentinel[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  static async start(options: SentinelOptions = {}): Promise<SentinelWorld> {
    const common = ['repl-diskless-sync-delay 0', 'repl-ping-replica-period 1', ...(options.settings ?? [])];
    const primary = await RedisServer.startWithFile(common);
    const follow = [...common, `replicaof 127.0.0.1 ${primary.port}`];
    const replicas = await Promise.all([0, 1].map(() => RedisServer.startWithFile(follow)));
    const start = () => Sentinel.start(primary.port, options);
    const sentinels = await Promise.all(Array.from({ length: SENTINELS }, start));
    const world = new SentinelWorld([primary, ...replicas], sentinels);
    try {
      await world.settled();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  get url(): string {
    return this.urlBy(this.sentinels.map(({ port }) => port));
  }

  /** The URL that names the Sentinels by other ports, of proxies before them. */
  urlBy(ports: readonly number[]): string {
    return `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }

  /** The server that all Sentinels that answer name as the primary; undefined: they do not agree. */
  async primary(): Promise<RedisServer | undefined> {
    const ports = await Promise.all(this.sentinels.map((sentinel) => sentinel.primaryPort()));
    const named = new Set(ports.filter((port) => port !== undefined));
    return named.size === 1 ? this.servers.find(({ port }) => named.has(port)) : undefined;
  }

  /** Waits until another server is the primary. */
  async failedOver(from: RedisServer, limitMs = 40_000): Promise<RedisServer> {
    let now: RedisServer | undefined;
    await untilReported(async () => {
      now = await this.primary();
      return now !== undefined && now !== from;
    }, limitMs);
    return now as RedisServer;
  }

  /**
   * Has the Sentinels look at roles each second, not each ten, and demote a replaced primary after 4 seconds, not 8.
   * Before Redis 7 these times cannot be set, and stay as they are.
   */
  async hasten(): Promise<void> {
    const setTimes = ({ raw }: Sentinel) =>
      raw.call('SENTINEL', 'DEBUG', 'info-period', 1_000, 'publish-period', 1_000);
    await Promise.all(this.sentinels.map((sentinel) => setTimes(sentinel).catch(() => {})));
  }

  /** Lets the Sentinels promote any replica but some, until the next call. */
  async avoid(avoided: readonly RedisServer[]): Promise<void> {
    const set = async (server: RedisServer): Promise<void> => {
      await server.raw.config('SET', 'replica-priority', avoided.includes(server) ? 0 : 100);
      // Sentinels have the file rewritten, too, and a server that is started again would have what they found.
      await server.raw.config('REWRITE');
    };
    await Promise.all(this.servers.map(set));
    const ports = avoided.map(({ port }) => port);
    const knows = async ({ raw }: Sentinel): Promise<boolean> => {
      const replicas = (await raw.call('SENTINEL', 'REPLICAS', NAME)) as string[][];
      const of = (words: string[], key: string): number => Number(words[words.indexOf(key) + 1]);
      return replicas.every((words) => (of(words, 'slave-priority') === 0) === ports.includes(of(words, 'port')));
    };
    await untilReported(async () => (await Promise.all(this.sentinels.map(knows))).every(Boolean));
  }

  /** Asks for a failover, as an operator does, once all Sentinels see that a server is a replica that has everything. */
  async planFailover(heir: RedisServer): Promise<void> {
    const [first] = this.sentinels;
    const sees = async ({ raw }: Sentinel): Promise<boolean> => {
      const replicas = (await raw.call('SENTINEL', 'REPLICAS', NAME)) as string[][];
      const of = (words: string[], key: string) => words[words.indexOf(key) + 1];
      const its = replicas.find((words) => of(words, 'port') === `${heir.port}`) ?? [];
      return of(its, 'role-reported') === 'slave' && of(its, 'master-link-status') === 'ok';
    };
    await untilReported(async () => {
      if (!(await Promise.all(this.sentinels.map(sees))).every(Boolean)) return false;
      return (await first?.raw.call('SENTINEL', 'FAILOVER', NAME)) === 'OK';
    }, 40_000);
  }

  /** Fails over to a replica, in order, and waits until more than half of the Sentinels name it. */
  async promote(heir: RedisServer): Promise<void> {
    await untilReported(async () => {
      await this.planFailover(heir);
      // They give up after their failover-timeout, and leave everything as it was.
      await untilReported(() => this.isNamed(heir), 7_000);
      return true;
    }, 80_000);
  }

  /** Whether more than half of the Sentinels name a server as the primary in their answer to SENTINEL MASTER. */
  async isNamed({ port }: RedisServer): Promise<boolean> {
    const portBy = async ({ raw }: Sentinel): Promise<number | undefined> => {
      const words = await answerWithin(500, raw.call('SENTINEL', 'MASTER', NAME));
      return Array.isArray(words) ? Number(words[words.indexOf('port') + 1]) : undefined;
    };
    const ports = await Promise.all(this.sentinels.map(portBy));
    return ports.filter((each) => each === port).length > SENTINELS / 2;
  }

  /** Waits until every Sentinel knows the others and both replicas, and those have what the primary has. */
  async settled(limitMs = 60_000): Promise<void> {
    await untilReported(async () => {
      const primary = await this.primary();
      if (!primary) return false;
      const known = await Promise.all(this.sentinels.map(({ raw }) => raw.call('SENTINEL', 'MASTER', NAME)));
      const all = known.every((answer) => {
        const words = answer as string[];
        const of = (key: string) => words[words.indexOf(key) + 1];
        return of('num-other-sentinels') === `${SENTINELS - 1}` && of('num-slaves') === `${this.servers.length - 1}`;
      });
      const replication = await primary.raw.info('replication');
      return all && (replication.match(/state=online/g)?.length ?? 0) === this.servers.length - 1;
    }, limitMs);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((each) => each.stop()));
  }
}
