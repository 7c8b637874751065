// The scene of the alerts: two services and a gateway on a Redis, with traffic, and the faults that go by.

import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import type { Browser } from '../e2e/browser.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { listening, SEEN } from '../monitoring/scrape.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse } from '../support/waiting.js';
import { Prometheus } from './prometheus.js';

const TRAFFIC_MS = 50;
const FLOOD = 2_000;
const FLOOD_CONNECTIONS = 5;
const OTHER_SECRET = 'another secret for tests alone, of more than 32 bytes';

const ignore = (): void => {};
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

export class Scene {
  readonly #stage = new Stage();
  redis!: RedisServer;
  /** The service of the traffic, and one that takes few calls and has no grace window. */
  auth!: ServiceNode;
  small!: ServiceNode;
  gateway!: Browser;
  prometheus!: Prometheus;
  #traffic: NodeJS.Timeout | undefined;
  #login = { accessToken: 'none', refreshToken: 'none' };

  static async start(): Promise<Scene> {
    const scene = new Scene();
    await scene.#start();
    return scene;
  }

  async #start(): Promise<void> {
    const stage = this.#stage;
    this.redis = await stage.redis();
    const folder = join(await stage.folder(), 'keys');
    generateKey(folder, 'one');
    const settings = { ...SEEN, JWT_KEYS_DIR: folder, JWT_KEY_DELAY: '0s' };
    this.auth = await stage.serve(this.redis, settings);
    this.small = await stage.serve(this.redis, { ...settings, REFRESH_GRACE: '0s', MAX_CONCURRENT_CALLS: '1' });
    this.gateway = await stage.gateway(this.auth, { METRICS_ADDRESS: '127.0.0.1:0' });
    const at = async (process: ServiceNode['process']): Promise<string> =>
      (await listening(process, 'metrics listening')).replace('http://', '');
    this.prometheus = await Prometheus.start({
      'latchkey-auth': await at(this.auth.process),
      'latchkey-small': await at(this.small.process),
      'latchkey-gateway': await at(this.gateway.process),
    });
    stage.owns(() => this.prometheus.stop());
    this.resume();
  }

  /** Ordinary traffic of both services and the gateway, until `pause`. */
  resume(): void {
    this.#traffic ??= setInterval(() => void this.#visit().catch(ignore), TRAFFIC_MS);
  }

  pause(): void {
    clearInterval(this.#traffic);
    this.#traffic = undefined;
  }

  /** A login, a validation by each service, a refresh through the gateway, a logout. */
  async #visit(): Promise<void> {
    const { client } = this.auth;
    // While the store is gone there is no login, and clients go on with what they have.
    const login = await client.issue('visitor').catch(() => undefined);
    const { accessToken, refreshToken } = login ?? this.#login;
    this.#login = { accessToken, refreshToken };
    const verdicts = [client, this.small.client].map((each) => each.verdict(accessToken).catch(ignore));
    await Promise.all(verdicts);
    const { status, text } = await this.gateway.refresh(refreshToken);
    if (status === 200) await client.logout({ refreshToken: (JSON.parse(text) as { refresh: string }).refresh });
  }

  /** More calls than the small service takes, until something has come about. */
  async flood(until: Promise<unknown>): Promise<void> {
    const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };
    const clients = times(
      FLOOD_CONNECTIONS,
      () => new AuthServiceClient(this.small.process.address, credentials.createInsecure(), ownConnection),
    );
    const { accessToken } = await this.auth.client.issue();
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    until.then(end, end);
    const call = async (client: AuthServiceClient): Promise<void> => {
      while (!isOver) {
        await new Promise((resolve) => client.validateToken({ accessToken, includeClaims: false }, resolve));
      }
    };
    await Promise.all(clients.flatMap((client) => times(FLOOD / FLOOD_CONNECTIONS, () => call(client))));
    for (const client of clients) client.close();
  }

  /** Used refresh tokens, tokens of another service's key, and calls of the issuer without its credential. */
  async misuse(): Promise<void> {
    const { client } = this.small;
    const stray = await this.#stage.serve(await this.#stage.folder(), { JWT_SECRET: OTHER_SECRET });
    const foreign = await stray.client.issue();
    for (let n = 0; n < 15; n++) {
      const { refreshToken } = await client.issue();
      const next = await client.refresh(refreshToken);
      await elapse(2, 'within the same millisecond it is no reuse, also without a grace window');
      await client.refresh(refreshToken).catch(ignore);
      await client.verdict(next.accessToken);
      await client.verdict(foreign.accessToken);
      await client.issue('mallory', {}, 'a wrong credential of more than 32 characters').catch(ignore);
    }
    await stray.process.kill();
  }

  /** Sets the store back: one entry is gone, and the count of a shard's writes is an older one. */
  async loseWrites(): Promise<void> {
    const { client } = this.auth;
    const { raw } = this.redis;
    const next = await client.refresh((await client.issue('loser')).refreshToken);
    const [entry = ''] = await raw.keys(`lk:1:*:s:${next.sessionId}`);
    const birth = entry.replace(/:s:.*/, ':born');
    const older = (await raw.get(birth)) ?? '';
    const { refreshToken } = await client.refresh((await client.issue('loser')).refreshToken);
    await client.refresh(refreshToken);
    await raw.set(birth, older);
    await client.verdict(next.accessToken);
    // By the other service, whose ledger does not hold the entry.
    await raw.del(entry);
    await this.small.client.refresh(next.refreshToken).catch(ignore);
  }

  async clear(): Promise<void> {
    this.pause();
    await this.#stage.clear();
  }
}
