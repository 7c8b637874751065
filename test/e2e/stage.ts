// What a test puts on stage: Redis servers, services, gateways and folders, all gone when it is over.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestClient } from '../support/auth-client.js';
import { gatewayInProcess, serveInProcess } from '../support/in-process.js';
import { JWT_SECRET, type Running, type Started, startGateway, startServe } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { Browser } from './browser.js';

/** A running service and a client of it. */
export interface RunningNode {
  readonly process: Running;
  readonly client: TestClient;
}

/** A service in a process of its own, and a client of it. */
export interface ServiceNode extends RunningNode {
  readonly process: Started;
}

/** Where a service keeps its entries: a Redis, or the data folder of an embedded store. */
export type StoreAt = RedisServer | string;

type Env = Readonly<Record<string, string>>;

const urlOrFolder = (store: StoreAt): Env =>
  typeof store === 'string' ? { DATA_DIR: store } : { REDIS_URL: store.url };

export class Stage {
  readonly #ends: (() => unknown)[] = [];

  async redis(...args: readonly string[]): Promise<RedisServer> {
    const server = await RedisServer.start(...args);
    this.#ends.push(() => server.stop());
    return server;
  }

  /** @param clockMs how far the process's own clock is off; undefined: not at all */
  async serve(store: StoreAt, env: Env = {}, clockMs?: number): Promise<ServiceNode> {
    return this.#serve(urlOrFolder(store), env, clockMs);
  }

  /** A service in the test's own process: for what a service answers, whatever its process does. */
  serveHere(store: StoreAt, env: Env = {}): Promise<RunningNode> {
    return this.#serveHere(urlOrFolder(store), env);
  }

  /** The same on the Redis that a URL leads to. */
  serveHereAt(url: string, env: Env = {}): Promise<RunningNode> {
    return this.#serveHere({ REDIS_URL: url }, env);
  }

  async #serveHere(at: Env, env: Env): Promise<RunningNode> {
    const process = await serveInProcess({ JWT_SECRET, ...at, ...env });
    this.#ends.push(() => process.kill());
    return { process, client: this.client(process.address) };
  }

  /** A service on the Redis that a URL leads to. */
  serveAt(url: string, env: Env = {}): Promise<ServiceNode> {
    return this.#serve({ REDIS_URL: url }, env);
  }

  async #serve(at: Env, env: Env, clockMs?: number): Promise<ServiceNode> {
    const process = await startServe({
      env: { JWT_SECRET, ...at, ...env },
      ...(clockMs === undefined ? {} : { clockMs }),
    });
    this.#ends.push(() => process.kill());
    return { process, client: this.client(process.address) };
  }

  client(address: string): TestClient {
    const client = new TestClient(address);
    this.#ends.push(() => client.close());
    return client;
  }

  async gateway(node: RunningNode, env: Env = {}): Promise<Browser> {
    const process = await startGateway(node.process.address, { env });
    this.#ends.push(() => process.kill());
    return new Browser(process);
  }

  /** A gateway in the test's own process. */
  async gatewayHere(node: RunningNode, env: Env = {}): Promise<Browser<Running>> {
    const process = await gatewayInProcess(node.process.address, env);
    this.#ends.push(() => process.kill());
    return new Browser(process);
  }

  /** Has something else ended with the rest. */
  owns(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** An empty folder of the test's own. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-e2e-'));
    this.#ends.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Ends everything, the last first; one that cannot be ended keeps none of the others. */
  async clear(): Promise<void> {
    const faults: unknown[] = [];
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, 'the stage could not be cleared');
  }
}
