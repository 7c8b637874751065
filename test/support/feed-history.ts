// Random histories of the revocation feed: the real core at two nodes, clients that follow it, and a store with faults.
// What a client decides is judged by what the store really held when.

import { WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { Context } from '../../src/core/context.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Call } from '../../src/core/ports.js';
import { parseBirth, parseNotBefore, parseSession } from '../../src/core/session/entries.js';
import { notBeforeKey, sessionKey } from '../../src/core/session/store-keys.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import { type SessionId, sessionStartMs } from '../../src/core/token/session-id.js';
import { issue } from '../../src/core/use-cases/issue.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { revokeSubject } from '../../src/core/use-cases/revoke-subject.js';
import { validate } from '../../src/core/use-cases/validate.js';
import { pongRest } from '../../src/grpc/codec/feed-message.js';
import { Feed } from '../../src/grpc/feed/feed.js';
import type { Watcher } from '../../src/grpc/feed/watcher.js';
import { type ClientFaults, FeedClient, type Judged } from './feed-client.js';
import { aCall, loginOf, MINUTE, type Node, node, POLICY, run, SECOND, settle, World, whatOf } from './world.js';

/** What may go wrong in a history. Times in ms. */
export interface FeedWeather extends ClientFaults {
  /** Streams are cut; nodes restart. */
  readonly cuts?: boolean;
  readonly restarts?: boolean;
  /** The store fails over, and its clock is then ahead by one of these. What was acknowledged stays. */
  readonly failover?: readonly number[];
  /** A failover may lose what was acknowledged, too. */
  readonly loses?: boolean;
  readonly wipes?: boolean;
  /** Logs, or births, are deleted by hand. */
  readonly deletes?: 'log' | 'born';
  /** The store's clock is set by one of these. */
  readonly clock?: readonly number[];
  /** Minutes pass at a time. */
  readonly long?: boolean;
  /** The second node is of a version that keeps no log. */
  readonly old?: boolean;
  /** ACCESS_TTL of the second node. */
  readonly ttlMs?: number;
  readonly outages?: boolean;
  /** Planted: a pong also answers pings that came during the read. */
  readonly answersLate?: boolean;
  /** Planted: a position is kept over a failover. */
  readonly keepsCursor?: boolean;
}

interface Session {
  readonly id: SessionId;
  readonly subject: string;
  readonly bornSeq: number;
  refreshToken: string;
  readonly accessTokens: string[];
  /** Since when the store has held an end of it, without a break; undefined: it does not. */
  heldSeq?: number | undefined;
  heldMs?: number | undefined;
  wasHeld?: boolean;
}

interface Strict {
  readonly token: string;
  readonly session: Session;
  readonly seq: number;
  readonly pingId: number;
}

/** A client with its stream. */
interface Follower {
  readonly client: FeedClient;
  node: number;
  watcher: Watcher | undefined;
  /** Pings that are on their way. */
  sent: number[];
  strict: Strict[];
}

interface FeedNode extends Node {
  readonly feed: Feed;
  reading: boolean;
}

/** @param choices the generator's numbers, 0 to 1, one a decision; the history ends with them */
export async function feedViolations(choices: readonly number[], weather: FeedWeather): Promise<readonly string[]> {
  const history = new FeedHistory(choices, weather);
  await history.play();
  return [...history.found];
}

class FeedHistory {
  readonly found = new Set<string>();
  readonly #choices: readonly number[];
  readonly #weather: FeedWeather;
  readonly #world = new World();
  readonly #nodes: FeedNode[];
  readonly #followers: Follower[];
  readonly #sessions: Session[] = [];
  /** The states that a failover may bring back: none is older than the last acknowledgement. */
  #snapshots: ReadonlyMap<string, unknown>[] = [];
  #steadyMs = 0;
  #next = 0;
  #seq = 0;
  /** The highest time before the clock went back, and when that was. */
  #peak = { ms: 0, seq: Number.POSITIVE_INFINITY };

  constructor(choices: readonly number[], weather: FeedWeather) {
    this.#choices = choices;
    this.#weather = weather;
    this.#nodes = [0, 1].map((n) => this.#makeNode(n));
    this.#followers = [0, 1].map(() => ({
      ...{ client: new FeedClient(() => this.#steadyMs, weather), node: 0, watcher: undefined, sent: [], strict: [] },
    }));
  }

  async play(): Promise<void> {
    const [first] = this.#nodes;
    if (first) await run(this.#world, first.births.write());
    this.#snapshots = [this.#world.snapshot()];
    while (this.#next < this.#choices.length) await this.#turn(this.#draw());
  }

  #makeNode(n: number): FeedNode {
    const accessTtlMs = (n === 1 && this.#weather.ttlMs) || POLICY.accessTtlMs;
    const isOld = n === 1 && (this.#weather.old ?? false);
    const store = this.#world.store(n, undefined, { windowMs: accessTtlMs + 70 * SECOND, isOld });
    if (this.#weather.keepsCursor) keepCursors(store);
    const core = node(store, { ...POLICY, accessTtlMs });
    const parts = { reader: core.reader, keys: core.keys, policy: core.policy, shards: 2, maxWatchers: 99 };
    return { ...core, feed: new Feed({ ...parts, log: { error: () => {} } }), reading: false };
  }

  #draw(): number {
    return this.#choices[this.#next++] ?? 0;
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.min(Math.floor(this.#draw() * items.length), items.length - 1)] as T;
  }

  async #turn(x: number): Promise<void> {
    this.#seq++;
    const session = this.#sessions.length > 0 ? this.#pick(this.#sessions) : undefined;
    if (x < 0.3 && this.#world.pending.length > 0) await this.#step();
    else if (x < 0.58) await this.#follow(this.#pick(this.#followers), this.#draw());
    else if (x < 0.66) await this.#wait();
    else if (!session || (x < 0.71 && this.#sessions.length < 6)) await this.#login();
    else if (x < 0.76) await this.#call(session, (context, call) => refresh(context, call, session.refreshToken));
    else if (x < 0.81) await this.#logout(session);
    else if (x < 0.94) await this.#decide(session, this.#pick(this.#followers));
    else await this.#misfortune();
  }

  async #step(): Promise<void> {
    this.#pick(this.#world.pending).take();
    await settle();
    this.#judgeStore();
  }

  /** Takes note since when the store holds the end of each session. */
  #judgeStore(isWiped = false): void {
    for (const session of this.#sessions) {
      const isHeld = this.#holds(session);
      if (isHeld && session.heldSeq === undefined) {
        Object.assign(session, { heldSeq: ++this.#seq, heldMs: this.#steadyMs, wasHeld: true });
      } else if (!isHeld && !isWiped) Object.assign(session, { heldSeq: undefined, heldMs: undefined });
    }
    this.#snapshots.push(this.#world.snapshot());
    if (this.#world.replicated !== false && !this.#weather.loses) this.#snapshots = this.#snapshots.slice(-1);
    this.#snapshots = this.#snapshots.slice(-8);
  }

  #holds({ id, subject }: Session): boolean {
    const world = this.#world;
    const shard = subject.length % 2;
    const startMs = sessionStartMs(id);
    const birth = parseBirth(world.get({ kind: 'birth', shard }));
    const cut = parseNotBefore(world.get(notBeforeKey(subject)));
    const entry = parseSession(world.get(sessionKey(subject, id)));
    return entry?.state === 'ended' || startMs <= (cut?.atMs ?? 0) || startMs <= (birth?.atMs ?? 0);
  }

  async #follow(follower: Follower, x: number): Promise<void> {
    if (!follower.watcher) return this.#connect(follower);
    const { client, watcher } = follower;
    if (x < 0.15) follower.sent.push(client.ping());
    else if (x < 0.35) {
      const id = follower.sent.shift();
      if (id !== undefined) watcher.ping(id);
    } else if (x < 0.65) {
      const bytes = watcher.next();
      if (bytes) client.take(WatchRevocationsResponse.decode(bytes));
      this.#answerStrict(follower);
    } else await this.#round(follower.node);
  }

  #connect(follower: Follower): void {
    follower.node = this.#weather.old ? 0 : this.#pick([0, 1]);
    follower.watcher = this.#nodes[follower.node]?.feed.newWatcher();
    follower.sent = [];
    follower.strict = [];
    follower.client.connect();
  }

  /** Begins a round at a node; its steps are taken as all others. */
  async #round(n: number): Promise<void> {
    const at = this.#nodes[n];
    if (!at || at.reading) return;
    at.reading = true;
    const watchers = this.#followers.flatMap(({ node: of, watcher }) => (of === n && watcher ? [watcher] : []));
    for (const watcher of watchers) watcher.roundBegins();
    void at.reader.round().then((round) => {
      at.reading = false;
      if (this.#weather.answersLate) for (const watcher of watchers) watcher.roundBegins();
      const pong = { rest: pongRest(round), last: at.reader.window.last };
      for (const watcher of watchers) watcher.roundEnded(pong);
    });
    await settle();
  }

  async #wait(): Promise<void> {
    const x = this.#draw();
    if (x < 0.8) return this.#pass(this.#pick([0, 1, 1, 10, 100, 500]));
    await this.#drain();
    this.#pass(
      this.#pick(this.#weather.long ? [15 * SECOND, 2 * MINUTE, 6 * MINUTE] : [SECOND, 3 * SECOND, 15 * SECOND]),
    );
    // Everybody catches up, most of the time.
    if (this.#draw() < 0.3) return;
    for (const follower of this.#followers) await this.#catchUp(follower);
  }

  async #catchUp(follower: Follower): Promise<void> {
    const { watcher, client } = follower;
    if (!watcher) return;
    watcher.ping(client.ping());
    follower.sent = [];
    await this.#drain();
    await this.#round(follower.node);
    await this.#drain();
    for (let bytes = watcher.next(); bytes; bytes = watcher.next()) client.take(WatchRevocationsResponse.decode(bytes));
    this.#answerStrict(follower);
  }

  #pass(ms: number): void {
    this.#world.nowMs += ms;
    this.#steadyMs += ms;
  }

  async #drain(): Promise<void> {
    while (this.#world.pending.length > 0) {
      this.#world.pending[0]?.take();
      await settle();
      this.#judgeStore();
    }
  }

  async #login(): Promise<void> {
    const subject = this.#pick(['u', 'vv', 'w']);
    await this.#begin(
      (context, call) => issue(context, call, loginOf(subject)),
      (pair) => {
        this.#sessions.push({
          ...{ id: pair.sessionId, subject, bornSeq: ++this.#seq, refreshToken: pair.refreshToken },
          accessTokens: [pair.accessToken],
        });
        this.#judgeStore();
      },
    );
  }

  #call(session: Session, call: (context: Context, call: Call) => ReturnType<typeof refresh>): Promise<void> {
    return this.#begin(call, ({ refreshToken, accessToken }) => {
      session.refreshToken = refreshToken;
      session.accessTokens.push(accessToken);
    });
  }

  async #logout(session: Session): Promise<void> {
    const { refreshToken, subject } = session;
    const x = this.#draw();
    const request = { accessToken: '', refreshToken, allSessions: x < 0.2 };
    if (x > 0.85)
      await this.#begin(
        (context, call) => revokeSubject(context, call, subject),
        () => {},
      );
    else
      await this.#begin(
        (context, call) => logout(context, call, request),
        () => {},
      );
  }

  async #begin<T>(call: (context: Context, call: Call) => Promise<T>, done: (result: T) => void): Promise<void> {
    const context = this.#pick(this.#nodes);
    call(context, aCall()).then(done, (error: unknown) => {
      if (error instanceof StoreUnavailable || error instanceof TokenRefused) return;
      this.found.add(`crash: ${error instanceof Error ? error.stack : error}`);
    });
    await settle();
  }

  async #decide(session: Session, follower: Follower): Promise<void> {
    const token = this.#pick(session.accessTokens);
    const seq = ++this.#seq;
    const { client } = follower;
    if (this.#draw() < 0.6) {
      const pingId = client.ping();
      follower.sent.push(pingId);
      follower.strict.push({ token, session, seq, pingId });
      return;
    }
    const staleMs = this.#pick([300, 2 * SECOND, 10 * SECOND]);
    const judged = judgedOf(token);
    const verdict = client.judge(judged, client.ageMs(judged.shard) <= staleMs);
    const wasHeldMs = session.heldMs ?? Number.POSITIVE_INFINITY;
    if (verdict === 'active' && wasHeldMs < this.#steadyMs - staleMs) this.found.add('active longer than its bound');
    this.#checkDenial(verdict, session);
    if (verdict === 'ask') await this.#ask(token, session, seq);
  }

  /** Decides on the strict calls whose pong has come, in this very turn. */
  #answerStrict(follower: Follower): void {
    const { client } = follower;
    for (const call of [...follower.strict]) {
      const judged = judgedOf(call.token);
      const verdict = client.judge(judged, client.asOfId(judged.shard) >= call.pingId);
      if (verdict === 'ask') continue;
      follower.strict.splice(follower.strict.indexOf(call), 1);
      if (verdict === 'active') this.#checkActive(call.session, call.seq, 'the feed');
      this.#checkDenial(verdict, call.session);
    }
  }

  async #ask(token: string, session: Session, seq: number): Promise<void> {
    await this.#begin(
      (context, call) => validate(context, call, token),
      ({ active }) => {
        if (active) this.#checkActive(session, seq, 'ValidateToken');
      },
    );
  }

  #checkActive({ heldSeq }: Session, seq: number, by: string): void {
    if (heldSeq !== undefined && heldSeq < seq) this.found.add(`active by ${by} after the store held an end`);
  }

  #checkDenial(verdict: string, { wasHeld, id, bornSeq }: Session): void {
    // A cut-off or a birth that a failover took back may deny sessions of the time that comes again.
    const isAgain = sessionStartMs(id) <= this.#peak.ms && bornSeq >= this.#peak.seq;
    if (verdict === 'revoked' && !wasHeld && !isAgain) this.found.add('denied a session that nothing had ended');
  }

  async #misfortune(): Promise<void> {
    const { cuts, restarts, failover, wipes, deletes, clock, outages } = this.#weather;
    const faults = [
      ...(cuts ? [() => this.#connect(this.#pick(this.#followers))] : []),
      ...(restarts ? [() => this.#restart(this.#pick([0, 1]))] : []),
      ...(failover ? [() => this.#failover(failover)] : []),
      ...(failover ? [() => this.#setReplicated()] : []),
      ...(wipes ? [() => this.#wipe()] : []),
      ...(deletes ? [() => this.#delete(deletes)] : []),
      ...(clock ? [() => this.#setClock(this.#pick(clock))] : []),
      ...(outages ? [() => this.#outage()] : []),
    ];
    if (faults.length > 0) this.#pick(faults)();
    await settle();
  }

  #restart(n: number): void {
    for (const step of this.#world.pending.filter((each) => each.node === n)) step.fail();
    this.#nodes[n] = this.#makeNode(n);
    for (const follower of this.#followers) if (follower.node === n) follower.watcher = undefined;
  }

  /** While no replica confirms, ends are written and not acknowledged. */
  #setReplicated(): void {
    this.#world.replicated = this.#world.replicated === false ? undefined : false;
  }

  #failover(clocks: readonly number[]): void {
    this.#world.goBackTo(this.#pick(this.#snapshots));
    this.#setClock(this.#pick(clocks));
    this.#snapshots = [this.#world.snapshot()];
    this.#judgeStore();
  }

  #setClock(byMs: number): void {
    this.#peak = { ms: Math.max(this.#peak.ms, this.#world.nowMs), seq: Math.min(this.#peak.seq, this.#seq) };
    this.#world.nowMs += byMs;
  }

  #wipe(): void {
    this.#pass(2);
    this.#world.flush();
    this.#judgeStore(true);
  }

  #delete(what: 'log' | 'born'): void {
    const shard = this.#pick([0, 1]);
    this.#pass(2);
    if (what === 'log') this.#world.deleteLog(shard);
    else this.#world.deleteBirth(shard);
    this.#judgeStore(true);
  }

  #outage(): void {
    this.#world.refuses = !this.#world.refuses;
  }
}

function judgedOf(token: string): Judged {
  const { sub, sid, iat, exp } = JSON.parse(token).payload;
  const id = sid as SessionId;
  return {
    ...{ shard: sub.length % 2, sessionId: id.replaceAll('-', ''), startMs: sessionStartMs(id) },
    ...{ subject: whatOf({ kind: 'not-before', subject: sub }).slice(1), issuedMs: iat * 1000, expiresMs: exp * 1000 },
  };
}

/** Planted: a read goes on where the last one ended, whatever server answers. */
function keepCursors(store: Node['bareStore']): void {
  const { readLogs } = store;
  const last: (string | undefined)[] = [];
  store.readLogs = async (cursors) => {
    const pages = await readLogs(cursors.map((cursor, shard) => cursor ?? last[shard]));
    for (const [shard, page] of pages.entries()) if ('cursor' in page) last[shard] = page.cursor;
    return pages;
  };
}
