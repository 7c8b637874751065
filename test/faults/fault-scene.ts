// The scene of every fault: a durable Redis, two nodes with a restricted Redis user, a gateway.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from '../e2e/browser.js';
import type { RunningNode, ServiceNode, Stage } from '../e2e/stage.js';
import type { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

export const USER = 'latchkey';
export const PASSWORD = 'a password for tests';
/** As docs/deployment.md gives them; a test holds the two together. */
export const RIGHTS =
  '~lk:1:* +eval +evalsha +get +set +mget +exists +pttl +time +xadd +xrevrange +xread +role +info +config|get';
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

const CLIENT_SECRET = 'a secret of the client, for tests alone';
const CLIENT = {
  id: 'orders',
  secret_sha256: [createHash('sha256').update(CLIENT_SECRET).digest('hex')],
  rights: ['introspect'],
};
/** The credentials of the OAuth client. */
export const BASIC = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT_SECRET}`).toString('base64')}`;

export interface Scene {
  readonly stage: Stage;
  readonly redis: RedisServer;
  /** The way of one node alone. */
  readonly proxy: TcpProxy;
  /** Behind the proxy; the gateway is in front of it. */
  readonly near: ServiceNode;
  /** Straight on Redis. */
  readonly far: ServiceNode;
  readonly browser: Browser;
}

/** The address of Redis on a port, with the user's credentials. */
export const urlAt = (port: number): string => `redis://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;

export async function setScene(stage: Stage): Promise<Scene> {
  const redis = await stage.redis(...DURABLE, '--user', USER, 'on', `>${PASSWORD}`, ...RIGHTS.split(' '));
  const proxy = await TcpProxy.start(redis.port);
  stage.owns(() => proxy.stop());
  // A long window: a retry is valid all the time, so that a refusal is a wrong answer.
  const serve = (port: number) => stage.serve(redis, { REDIS_URL: urlAt(port), REFRESH_GRACE: '60s' });
  const [near, far] = await Promise.all([serve(proxy.port), serve(redis.port)]);
  const clients = join(await stage.folder(), 'clients.json');
  await writeFile(clients, JSON.stringify({ clients: [CLIENT] }));
  const browser = await stage.gateway(near, { OAUTH_CLIENTS: clients });
  return { stage, redis, proxy, near, far, browser };
}

/** Whether a node would turn traffic away; one that does not answer would, too. */
export const isServing = async ({ client }: RunningNode): Promise<boolean> =>
  (await client.health().catch(() => 'NOT_SERVING')) === 'SERVING';
