// The peer: node-oidc-provider with its tokens in Redis, and one client that may ask about them (RFC 7662).
//
// Its package is not among ours: where it was installed is handed in, with the URL of Redis.

import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { CLIENT_ID, CLIENT_SECRET } from './client.js';

/** As much of the package as is used. */
interface OidcPackage {
  readonly Provider: new (
    issuer: string,
    configuration: Readonly<Record<string, unknown>>,
  ) => { callback(): Parameters<typeof createServer>[1] };
}

const [location = '', redisUrl = ''] = process.argv.slice(2);
const redis = new Redis(redisUrl, { enableAutoPipelining: true });

/** What its documentation asks of an adapter, each entry a JSON text with a lifetime; of the rest nothing is called. */
class RedisAdapter {
  readonly #prefix: string;

  constructor(model: string) {
    this.#prefix = `oidc:${model}:`;
  }

  async upsert(id: string, payload: unknown, lifetimeS: number): Promise<void> {
    await redis.set(this.#prefix + id, JSON.stringify(payload), 'EX', lifetimeS);
  }

  async find(id: string): Promise<unknown> {
    const text = await redis.get(this.#prefix + id);
    return text === null ? undefined : JSON.parse(text);
  }

  async destroy(id: string): Promise<void> {
    await redis.del(this.#prefix + id);
  }
}

const { Provider } = (await import(location)) as OidcPackage;
const provider = new Provider('http://127.0.0.1', {
  adapter: RedisAdapter,
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: 12 * 60 * 60 },
});
const server = createServer(provider.callback()).listen(0, '127.0.0.1', () => {
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  process.stdout.write(`${JSON.stringify({ msg: 'peer listening', address: '127.0.0.1', port })}\n`);
});
process.once('SIGTERM', () => process.exit());
