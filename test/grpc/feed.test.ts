// Tests of the feed of a node while its rounds fail: what it holds, and what it sends afterwards.

import { expect } from 'chai';
import { WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { FeedReader, Round } from '../../src/core/feed/feed-reader.js';
import { Feed, type Follower } from '../../src/grpc/feed/feed.js';
import { node, World } from '../support/world.js';

const ID = 'a'.repeat(32);
const GOOD: Round = { uncovered: new Set(), storeTimeMs: 1 };
const STREAMS = 500;

/** A round that is under way until the test ends it. */
interface OpenRound {
  readonly end: (result: Round | Error) => void;
}

class FeedScene {
  readonly feed: Feed;
  readonly reader: FeedReader;
  readonly #begun: OpenRound[] = [];
  readonly #waiting: ((round: OpenRound) => void)[] = [];

  constructor() {
    const { reader, keys, policy } = node(new World().store(0));
    this.reader = reader;
    reader.round = () =>
      new Promise((resolve, reject) => {
        const end = (result: Round | Error) => (result instanceof Error ? reject(result) : resolve(result));
        const waiting = this.#waiting.shift();
        if (waiting) waiting({ end });
        else this.#begun.push({ end });
      });
    this.feed = new Feed({ reader, keys, policy, shards: 2, maxWatchers: 2 * STREAMS, log: { error: () => {} } });
  }

  /** The next round, once it has begun. */
  round(): Promise<OpenRound> {
    const begun = this.#begun.shift();
    return begun ? Promise.resolve(begun) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** @param sent gets each message */
  follow(sent: (message: WatchRevocationsResponse) => void = () => {}): Follower & { readonly leave: () => void } {
    const watcher = this.feed.newWatcher();
    if (!watcher) throw new Error('too many streams');
    const send = (): void => {
      const bytes = watcher.next();
      if (bytes) sent(WatchRevocationsResponse.decode(bytes));
    };
    const follower: Follower = { watcher, send, stop: () => {} };
    return Object.assign(follower, { leave: this.feed.follow(follower) });
  }

  ping(follower: Follower, id = 1): void {
    follower.watcher.ping(id);
    this.feed.pinged(follower, false);
  }
}

describe('the feed of a node', () => {
  let scene: FeedScene;
  beforeEach(() => {
    scene = new FeedScene();
  });
  afterEach(() => scene.feed.stop());

  /** Streams that ping; and those of them for which a round begins afterwards. */
  const pinging = () => {
    const begun = new Set<Follower>();
    const streams = Array.from({ length: STREAMS }, () => {
      const stream = scene.follow();
      stream.watcher.roundBegins = () => begun.add(stream);
      scene.ping(stream);
      return stream;
    });
    return { streams, begun };
  };

  it('holds no ping of a stream that ended before its round', async () => {
    scene.follow();
    const first = await scene.round();
    const { streams, begun } = pinging();
    for (const { leave } of streams.slice(1)) leave();
    first.end(new Error('the store is away'));
    await scene.round();
    expect([...begun]).to.deep.equal(streams.slice(0, 1));
  });

  it('holds no ping of a stream that ended during a round that fails', async () => {
    const { streams, begun } = pinging();
    const first = await scene.round();
    expect(begun.size).to.equal(STREAMS);
    begun.clear();
    for (const { leave } of streams.slice(1)) leave();
    first.end(new Error('the store is away'));
    await scene.round();
    expect([...begun]).to.deep.equal(streams.slice(0, 1));
  });

  describe('after an error while it sent', () => {
    const failing = (): Follower => {
      let isFirst = true;
      return scene.follow(() => {
        if (!isFirst) return;
        isFirst = false;
        throw new Error('a planted fault');
      });
    };
    /** Ends the present round. @returns the next one, by when the streams were served */
    const served = async (round: OpenRound): Promise<OpenRound> => {
      round.end(GOOD);
      return scene.round();
    };

    it('sends the news again to streams without a ping', async () => {
      const messages: WatchRevocationsResponse[] = [];
      failing();
      scene.follow((message) => messages.push(message));
      scene.reader.window.add({ shard: 0, what: `s${ID}`, notBeforeMs: 0, atMs: 1 });
      const second = await served(await scene.round());
      expect(messages).to.deep.equal([]);
      await served(second);
      const ids = messages.flatMap(({ revocations }) => revocations).map(({ sessionId }) => sessionId?.toString('hex'));
      expect(ids).to.deep.equal([ID]);
    });

    it('answers the pings of other streams by the next round', async () => {
      // After this round there is no news.
      scene.follow();
      const second = await served(await scene.round());
      const pongs: number[] = [];
      const one = failing();
      const other = scene.follow(({ pong }) => pong && pongs.push(pong.id));
      for (const stream of [one, other]) scene.ping(stream);
      const fourth = await served(await served(second));
      expect(pongs).to.deep.equal([]);
      await served(fourth);
      expect(pongs).to.deep.equal([1]);
    });
  });
});
