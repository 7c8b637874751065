// Real proxies, each started with its recipe from docs/proxies on ports of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endAtExit } from '../support/children.js';
import { freePort } from '../support/free-ports.js';
import { until } from '../support/waiting.js';

const RECIPES = fileURLToPath(new URL('../../../docs/proxies/', import.meta.url));
/** Where install.sh has put the proxies that come from PyPI. */
export const PROXY_FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/proxies/', import.meta.url));
const START_MS = 30_000;

/** The ports in the recipes, and what listens there. */
export interface Ports {
  readonly gateway: number;
  readonly service: number;
  readonly upstream: number;
}

interface Kind {
  readonly recipes: readonly string[];
  readonly file: string;
  args(folder: string): readonly string[];
}

const ENVOY = { file: join(PROXY_FOLDER, 'envoy/_bin/envoy') };
const envoyArgs = (recipe: string): readonly string[] => [
  ...['-c', recipe, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
];

export const KINDS = {
  nginx: {
    recipes: ['nginx.conf'],
    file: 'nginx',
    args: (folder) => [
      ...['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')],
      ...['-g', `daemon off; pid ${folder}/nginx.pid; worker_processes 1;`],
    ],
  },
  Caddy: {
    recipes: ['Caddyfile'],
    file: join(PROXY_FOLDER, 'bin/caddy'),
    args: () => ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  },
  Traefik: {
    recipes: ['traefik.yaml', 'traefik-routes.yaml'],
    file: join(PROXY_FOLDER, 'bin/traefik'),
    args: () => ['--configFile=traefik.yaml'],
  },
  'Envoy, gRPC': { ...ENVOY, recipes: ['envoy-grpc.yaml'], args: () => envoyArgs('envoy-grpc.yaml') },
  'Envoy, HTTP': { ...ENVOY, recipes: ['envoy-http.yaml'], args: () => envoyArgs('envoy-http.yaml') },
  HAProxy: { recipes: ['haproxy.cfg', 'haproxy.lua'], file: 'haproxy', args: () => ['-db', '-f', 'haproxy.cfg'] },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProxyName = keyof typeof KINDS;

/** A proxy under test. */
export class RunningProxy {
  readonly name: ProxyName;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(name: ProxyName, port: number, child: ChildProcess, folder: string) {
    this.name = name;
    this.port = port;
    this.#child = child;
    this.#folder = folder;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * @param edit changes each recipe before it is used
   * @throws Error with what the proxy printed, if it does not listen in time
   */
  static async start(name: ProxyName, ports: Ports, edit = (recipe: string) => recipe): Promise<RunningProxy> {
    const { recipes, file, args }: Kind = KINDS[name];
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-proxy-'));
    const port = await freePort();
    for (const recipe of recipes) {
      const text = edit(readFileSync(join(RECIPES, recipe), 'utf8'));
      writeFileSync(join(folder, recipe), withPorts(text, { port, ...ports }));
    }
    const child = spawn(file, args(folder), {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: nginx has a worker process, which a SIGKILL of its master would leave behind.
      detached: true,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed = (printed + text).slice(-4_000);
      });
    }
    endAtExit(child, () => endGroupOf(child));
    const proxy = new RunningProxy(name, port, child, folder);
    await until(async () => child.exitCode !== null || (await listens(port)), START_MS).catch(() => {});
    if (child.exitCode === null && (await listens(port))) return proxy;
    await proxy.stop();
    throw new Error(`${name} does not listen:\n${printed}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      endGroupOf(this.#child);
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function endGroupOf({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

function withPorts(recipe: string, { port, gateway, service, upstream }: Ports & { readonly port: number }): string {
  const numbers: Readonly<Record<string, number>> = { 8000: port, 8080: gateway, 50051: service, 9000: upstream };
  return recipe.replace(
    /(127\.0\.0\.1:|port_value: |http:\/\/:)(8000|8080|50051|9000)\b/g,
    (_all, before, old) => `${before}${numbers[old]}`,
  );
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
