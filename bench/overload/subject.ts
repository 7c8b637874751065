// A service that is loaded by the bench, with the process that makes the load.

import { IssueTokenRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { TestClient } from '../../test/support/auth-client.js';
import { ISSUER_TOKEN, startServe } from '../../test/support/processes.js';
import type { RedisServer } from '../../test/support/redis-server.js';
import { LoadProcess } from '../load/load-process.js';
import { validations } from '../load/validations.js';
import type { Work } from '../load/work.js';
import type { Subject } from './probe.js';

const SEED = 20_260;

export type Clean = () => Promise<unknown>;

/** A running service, and how to end what belongs to it. */
export interface Service {
  readonly client: TestClient;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
}

/** @param env keys and store, and what else is set */
export async function startService(cleanup: Clean[], env: Readonly<Record<string, string>>): Promise<Service> {
  const service = await startServe({ env: { ACCESS_TTL: '1h', ...env } });
  cleanup.push(() => service.stop());
  const client = new TestClient(service.address);
  cleanup.push(async () => client.close());
  const [host = '', port] = service.address.split(':');
  return { client, host, port: Number(port), pid: service.child.pid ?? 0 };
}

export async function startLoad(cleanup: Clean[], { host, port }: Service, connections: number): Promise<LoadProcess> {
  const load = await LoadProcess.start({ host, port, connections, seed: SEED });
  cleanup.push(() => load.stop());
  return load;
}

/** What is seen of a service under a load of one kind. @param sessions more than calls that can be open at once */
export async function startSubject(
  cleanup: Clean[],
  { redis, connections }: { readonly redis: RedisServer; readonly connections: number },
  {
    work,
    sessions,
    env,
  }: { readonly work: keyof typeof WORKS; readonly sessions: number; readonly env: Readonly<Record<string, string>> },
): Promise<Subject> {
  const service = await startService(cleanup, { REDIS_URL: redis.url, ...env });
  const load = await startLoad(cleanup, service, connections);
  await load.take(await WORKS[work](service.client, sessions));
  const { client, pid } = service;
  return { client, load, pid, helpers: [redis.pid ?? 0, load.pid, process.pid] };
}

async function issued(client: TestClient, sessions: number): Promise<TokenPair[]> {
  const pairs: TokenPair[] = [];
  while (pairs.length < sessions) {
    const some = Array.from({ length: 50 }, (_, n) => client.issue(`user-${pairs.length + n}`));
    pairs.push(...(await Promise.all(some)));
  }
  return pairs;
}

/** Honest work of each kind. @param sessions more than calls at once, because a refresh has a session of its own */
export const WORKS = {
  ValidateToken: async (client: TestClient, sessions: number): Promise<Work> =>
    validations((await issued(client, sessions)).map(({ accessToken }) => accessToken)),
  RefreshToken: async (client: TestClient, sessions: number): Promise<Work> => ({
    kind: 'chained',
    route: { protocol: 'grpc', path: '/auth.v1.AuthService/RefreshToken', headers: {} },
    refreshTokens: (await issued(client, sessions)).map(({ refreshToken }) => refreshToken),
    answers: { kind: 'pairs' },
  }),
  IssueToken: async (): Promise<Work> => ({
    kind: 'issuing',
    route: {
      protocol: 'grpc',
      path: '/auth.v1.IssuerService/IssueToken',
      headers: { authorization: `Bearer ${ISSUER_TOKEN}` },
    },
    messages: [IssueTokenRequest.encode({ subject: 'alice', claims: undefined, clientId: '', scope: '' }).finish()],
  }),
} as const;
