// A server of WatchRevocations for tests that sends what it is made to, and what no real service would.

import { Server, ServerCredentials, type ServerDuplexStream, type UntypedHandleCall } from '@grpc/grpc-js';
import {
  AuthServiceService,
  type WatchRevocationsRequest,
  WatchRevocationsResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import * as forge from '../attacks/forge.js';

export type FeedParts = Partial<WatchRevocationsResponse>;
/** A stream, which takes encoded messages. */
export type ScriptedStream = ServerDuplexStream<WatchRevocationsRequest, Buffer>;

const { x = '', y = '' } = forge.ecPrivate.export({ format: 'jwk' }) as { x?: string; y?: string };
export const KEY = { kty: 'EC', use: 'sig', alg: 'ES256', kid: forge.es256.kid, crv: 'P-256', x, y, n: '', e: '' };
export const SETTINGS = {
  ...{ issuer: undefined, audience: [], accessTtlSeconds: 300, sessionMaxSeconds: 86_400, shards: 1 },
};
export const STATE = { shard: 0, completeSinceMs: 0, bornMs: 0, adoptedSinceMs: undefined };
/** A session that ended now. */
export const ended = (sessionId: Buffer = Buffer.alloc(16)) => ({
  ...{ shard: 0, sessionId, subject: undefined, doubtfulSessionId: undefined },
  ...{ doubtfulSubject: undefined, atMs: Date.now() },
});

export const feedMessage = (parts: FeedParts): Buffer =>
  Buffer.from(
    WatchRevocationsResponse.encode({
      ...{ settings: undefined, keys: undefined, shards: [], revocations: [], caughtUp: false, pong: undefined },
      ...parts,
    }).finish(),
  );

export class ScriptedFeed {
  readonly #server = new Server();
  #address = '';
  /** Called with each ping of a stream. */
  pinged: (stream: ScriptedStream, id: number) => void = () => {};
  /** Those that were opened. */
  readonly streams: ScriptedStream[] = [];

  get address(): string {
    return this.#address;
  }

  async start(): Promise<this> {
    const { watchRevocations } = AuthServiceService;
    const serve = (stream: ScriptedStream): void => {
      this.streams.push(stream);
      stream.on('error', () => {});
      stream.on('data', ({ ping }: WatchRevocationsRequest) => {
        if (ping) this.pinged(stream, ping.id);
      });
      stream.on('end', () => stream.end());
    };
    this.#server.addService(
      { watchRevocations: { ...watchRevocations, responseSerialize: (bytes: Buffer) => bytes } } as never,
      { watchRevocations: serve as UntypedHandleCall },
    );
    const port = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    this.#address = `127.0.0.1:${port}`;
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
