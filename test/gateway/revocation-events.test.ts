// Tests of the event stream: who gets it, what it brings, how a client resumes, and its bounds.

import { expect } from 'chai';
import { EventLog } from '../../gateway/revocations/event-log.js';
import {
  type EventSource,
  MAX_EVENT_STREAMS,
  EventSource as Source,
  type Watch,
} from '../../gateway/revocations/event-source.js';
import { EventStream } from '../../gateway/revocations/event-stream.js';
import { until } from '../support/waiting.js';
import { whatOf } from '../support/world.js';
import { basic, SECRET } from './oauth-clients.js';
import { OAuthScene } from './oauth-scene.js';

const PATH = '/api/auth/revocations/';
const WATCHER = basic('follower', SECRET);

interface Received {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly id: string | undefined;
}

/** A client of the event stream. */
class Follower {
  readonly events: Received[] = [];
  readonly #abort = new AbortController();
  /** Resolves when the stream has ended. */
  ended: Promise<void> = Promise.resolve();
  #text = '';

  static async open(scene: OAuthScene, headers: Record<string, string> = {}): Promise<Follower> {
    const follower = new Follower();
    const response = await scene.ask(PATH, { headers: { ...WATCHER, ...headers }, signal: follower.#abort.signal });
    expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'text/event-stream']);
    follower.ended = follower.#read(response).catch(() => {});
    return follower;
  }

  get names(): string[] {
    return this.events.map(({ event }) => event);
  }

  has(text: string): boolean {
    return this.events.some(({ data }) => JSON.stringify(data).includes(text));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  async #read({ body }: Response): Promise<void> {
    for await (const chunk of body ?? []) {
      this.#text += Buffer.from(chunk).toString();
      const blocks = this.#text.split('\n\n');
      this.#text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const event = field('event');
        if (event) this.events.push({ event, data: JSON.parse(field('data') ?? ''), id: field('id') });
      }
    }
  }
}

describe('the event stream of revocations', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.start();
  });
  after(() => scene.stop());

  const end = async (subject: string): Promise<string> => {
    const { sessionId, refreshToken } = await scene.service.client.issue(subject);
    await scene.service.client.logout({ refreshToken });
    return sessionId;
  };

  it('is for clients with the right watch alone', async () => {
    expect((await scene.ask(PATH)).status).to.equal(401);
    expect(
      (await scene.ask(PATH, { headers: basic('follower', 'a wrong secret of a client, for tests') })).status,
    ).to.equal(401);
    expect((await scene.ask(PATH, { headers: basic('orders', SECRET) })).status).to.equal(403);
  });

  it('begins with a reset and all that matters, and brings each end and cut-off', async () => {
    const before = await end('ann');
    const follower = await Follower.open(scene);
    await until(() => follower.names.includes('current'));
    expect(follower.names.slice(0, 3)).to.deep.equal(['reset', 'settings', 'keys']);
    expect(follower.names).to.include('caught-up');
    expect(follower.has(`"sessionId":"${before}"`)).to.equal(true);
    const after = await end('ann');
    await scene.service.client.revokeSubject('carl');
    const cut = whatOf({ kind: 'not-before', subject: 'carl' }).slice(1);
    await until(() => follower.has(`"sessionId":"${after}"`) && follower.has(`"subject":"${cut}","notBeforeMs":`));
    expect(follower.events.filter(({ event }) => event === 'current')[0]?.data).to.deep.equal({
      ...{ storeTimeMs: scene.service.world.nowMs, uncovered: [] },
    });
    await follower.close();
  });

  it('goes on after Last-Event-ID, and begins with a reset after an unknown one', async () => {
    const first = await Follower.open(scene);
    await until(() => first.names.includes('caught-up'));
    await first.close();
    const lastId = first.events.findLast(({ id }) => id)?.id ?? '';
    const meanwhile = await end('ann');
    const second = await Follower.open(scene, { 'last-event-id': lastId });
    await until(() => second.has(meanwhile));
    expect(second.names).to.not.include('reset').and.not.include('settings');
    await second.close();
    const third = await Follower.open(scene, { 'last-event-id': lastId.replace(/^./, (c) => (c === '0' ? '1' : '0')) });
    await until(() => third.has(meanwhile));
    expect(third.names[0]).to.equal('reset');
    await third.close();
  });

  it('begins anew with a reset when the service has ended its stream', async () => {
    const follower = await Follower.open(scene);
    await until(() => follower.names.includes('caught-up'));
    scene.service.dropStreams();
    await until(() => follower.names.filter((name) => name === 'reset').length === 2);
    await until(() => follower.names.filter((name) => name === 'caught-up').length === 2);
    await follower.close();
  });

  it('ends when the gateway stops', async () => {
    const other = await OAuthScene.start();
    const follower = await Follower.open(other);
    await until(() => follower.names.includes('caught-up'));
    await other.stop();
    await follower.ended;
  });
});

describe('the event streams of a gateway', () => {
  const silent = { on: () => silent, write: () => true, cancel: () => {} };
  const source = (): EventSource => new Source(() => silent as unknown as Watch);

  it('are bounded in number', () => {
    const events = source();
    const streams = Array.from({ length: MAX_EVENT_STREAMS }, () => events.stream(undefined));
    expect(streams).to.not.include(undefined);
    expect(events.stream(undefined)).to.equal(undefined);
    events.stop();
  });

  it('queue nothing for a reader that is slow', () => {
    const log = new EventLog();
    const stream = new EventStream(log, undefined);
    stream.read(0);
    for (let n = 0; n < 10_000; n++) {
      log.add('revocations', { padding: 'x'.repeat(1_000) });
      stream.more();
      stream.now(undefined);
    }
    expect(stream.readableLength).to.be.below(70_000);
    stream.destroy();
  });

  it('begin anew before their log grows without a bound', () => {
    const log = new EventLog();
    log.add('settings', {});
    expect(log.isOverfull(100)).to.equal(false);
    log.caughtUp();
    for (let n = 0; n < 5; n++) log.add('revocations', { n });
    expect(log.isOverfull(100)).to.equal(true);
  });
});
