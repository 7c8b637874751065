// A real gRPC server in the test's own process, on the store whose steps are taken by hand.

import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import type { FeedReader } from '../../src/core/feed/feed-reader.js';
import type { Policy } from '../../src/core/policy.js';
import type { Keys } from '../../src/core/ports.js';
import { Feed } from '../../src/grpc/feed/feed.js';
import { type GrpcOptions, GrpcServer } from '../../src/grpc/server.js';
import { formatAddress, Secret } from '../../src/platform/env.js';
import { createLogger, type Logger } from '../../src/platform/log.js';
import { TestClient } from './auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET } from './processes.js';
import { until } from './waiting.js';
import { node, POLICY, World } from './world.js';

const SILENT = createLogger({ level: 'silent', name: 'test' });

type SceneOptions = Partial<Omit<GrpcOptions, 'feed'>> & {
  readonly log?: Logger;
  readonly policy?: Policy;
  readonly keys?: Keys;
  /** The most streams of the feed. Default: 3. */
  readonly maxWatchers?: number;
};

export class GrpcScene {
  readonly world: World;
  readonly server: GrpcServer;
  readonly client: TestClient;
  readonly address: string;
  readonly feed: Feed;
  readonly reader: FeedReader;
  /** Whether steps are taken as soon as they are asked for. Without it a call stays under way. */
  flowing = true;
  readonly #pump: NodeJS.Timeout;

  private constructor(world: World, server: GrpcServer, [feed, reader]: readonly [Feed, FeedReader], address: string) {
    this.feed = feed;
    this.reader = reader;
    this.world = world;
    this.server = server;
    this.address = address;
    this.client = new TestClient(address);
    this.#pump = setInterval(() => {
      while (this.flowing && world.pending.length > 0) world.pending[0]?.take();
    }, 1);
  }

  /** @param options what is other than usual; its clients come by `new TestClient` then */
  static async start({
    log = SILENT,
    policy = POLICY,
    keys = new JwtKeys(keyFromSecret(JWT_SECRET)),
    maxWatchers = 3,
    ...options
  }: SceneOptions = {}): Promise<GrpcScene> {
    const world = new World();
    const core = node(world.store(0), policy);
    const context = { ...core, keys };
    const feed = new Feed({ reader: core.reader, keys, policy, shards: 2, maxWatchers, log });
    core.revocations.subscribe(() => feed.ended());
    const server = new GrpcServer(context, log, {
      address: { host: '127.0.0.1', port: 0 },
      feed,
      issuer: { credentials: [new Secret(ISSUER_TOKEN)], clientNames: [], address: undefined },
      maxConcurrentCalls: 256,
      ...options,
    });
    const [address] = await server.listen();
    if (!address) throw new Error('the server listens nowhere');
    return new GrpcScene(world, server, [feed, core.reader], formatAddress(address));
  }

  /** Waits until some call waits for the store. */
  async held(): Promise<void> {
    await until(() => this.world.pending.length > 0);
  }

  /** Ends all streams of the feed, as a stop does, and takes others. */
  dropStreams(): void {
    this.feed.dropAll();
  }

  async stop(): Promise<void> {
    clearInterval(this.#pump);
    this.client.close();
    await this.server.stop(0);
  }
}
