// A client of WatchRevocations for tests: what it got, and pings that wait for their pongs.

import {
  type ChannelCredentials,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  AuthServiceClient,
  type Pong,
  type ShardState,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import { EventWaits } from './waiting.js';

export class FeedStream {
  readonly messages: WatchRevocationsResponse[] = [];
  /** The latest state of each shard. */
  readonly states = new Map<number, ShardState>();
  /** The status that it ended with. */
  readonly ended: Promise<keyof typeof status>;
  readonly #client: AuthServiceClient;
  readonly #stream: ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;
  readonly #waits = new EventWaits();
  #pingId = 0;

  constructor(
    address: string,
    channel: ChannelCredentials = credentials.createInsecure(),
    first: object = { start: {} },
  ) {
    // A connection of its own.
    this.#client = new AuthServiceClient(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
    this.#stream = this.#client.watchRevocations();
    this.#stream.on('data', (message: WatchRevocationsResponse) => this.#take(message));
    this.ended = new Promise((resolve) => {
      this.#stream.on('error', ({ code }: ServiceError) => resolve(status[code] as keyof typeof status));
      this.#stream.on('end', () => setImmediate(resolve, 'OK'));
    });
    this.send(first as WatchRevocationsRequest);
  }

  /** What the revocations say, as text: the kind and the id in hex. */
  get said(): string[] {
    return this.saidBy(this.messages.length);
  }

  /** The same up to a message. */
  saidBy(index: number): string[] {
    return this.messages.slice(0, index + 1).flatMap(({ revocations }) =>
      revocations.map(({ sessionId, subject, doubtfulSessionId, doubtfulSubject }) => {
        if (sessionId) return `s${sessionId.toString('hex')}`;
        if (subject) return `u${subject.subject.toString('hex')}`;
        return doubtfulSessionId ? `d${doubtfulSessionId.toString('hex')}` : `D${doubtfulSubject?.toString('hex')}`;
      }),
    );
  }

  get isCaughtUp(): boolean {
    return this.messages.some(({ caughtUp }) => caughtUp);
  }

  get pongs(): Pong[] {
    return this.messages.flatMap(({ pong }) => (pong ? [pong] : []));
  }

  send(request: Partial<WatchRevocationsRequest>): void {
    this.#stream.write({ start: undefined, ping: undefined, ...request });
  }

  /** Sends a ping. @returns its id */
  ping(urgent = true): number {
    this.send({ ping: { id: ++this.#pingId, urgent } });
    return this.#pingId;
  }

  /** Resolves once the service has what was sent: a call on the same connection is answered. */
  arrived(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.getJsonWebKeySet({}, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Resolves with the pong that answers a new ping. */
  async pong(urgent = true): Promise<Pong> {
    const id = this.ping(urgent);
    const find = () => this.pongs.find((pong) => pong.id >= id);
    await this.until(() => find() !== undefined);
    return find() as Pong;
  }

  /** Resolves once something holds, which is looked at with each message. */
  until(holds: () => boolean): Promise<void> {
    return this.#waits.until(holds);
  }

  halfClose(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  close(): void {
    this.#stream.on('error', () => {});
    this.#stream.cancel();
    this.#client.close();
  }

  #take(message: WatchRevocationsResponse): void {
    this.messages.push(message);
    for (const state of message.shards) this.states.set(state.shard, state);
    this.#waits.look();
  }
}
