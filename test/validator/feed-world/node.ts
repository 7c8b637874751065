// A model of a node that streams revocations: its rounds, and its streams in the messages of the wire.

import type { Revocation, WatchRevocationsResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { logWindowMs, MARGIN_MS } from '../../../src/core/feed/limits.js';
import { type NodeFaults, ServiceNode } from './service.js';
import { type Birth, type Entry, type ModelStore, SHARDS, Unavailable } from './store.js';

const ATTEMPTS = 4;
const EMPTY: WatchRevocationsResponse = {
  ...{ settings: undefined, keys: undefined, shards: [], revocations: [], caughtUp: false, pong: undefined },
};

/** A stream: what was sent and has not come yet, and pings on their way. */
export class ModelStream {
  readonly messages: WatchRevocationsResponse[] = [];
  readonly pings: number[] = [];
  isOver = false;
  /** The last ping that came, and the last one that was answered. */
  cameId = 0;
  answeredId = 0;
}

interface Window {
  readonly entries: Map<string, Entry>;
  completeSinceMs: number | undefined;
  birth: Birth | undefined;
  cursor: Entry | undefined;
  incarnation: number;
}

const newWindow = (): Window => ({
  ...{ entries: new Map<string, Entry>(), completeSinceMs: undefined, birth: undefined },
  ...{ cursor: undefined, incarnation: 0 },
});

const isAfter = (a: Entry, b: Entry): boolean => a.atMs > b.atMs || (a.atMs === b.atMs && a.seq > b.seq);

export class FeedNode extends ServiceNode {
  readonly streams = new Set<ModelStream>();
  readonly #windows = SHARDS.map(newWindow);
  #round: Generator<void, void> | undefined;

  constructor(store: ModelStore, accessTtlMs: number, faults: NodeFaults) {
    super(store, accessTtlMs, faults);
  }

  /** Goes one step on in the present round, or begins one. */
  stepRound(): void {
    this.#round ??= this.#read();
    if (this.#round.next().done) this.#round = undefined;
  }

  open(): ModelStream {
    const stream = new ModelStream();
    this.streams.add(stream);
    const { accessTtlMs } = this;
    const settings = {
      audience: [],
      accessTtlSeconds: accessTtlMs / 1_000,
      sessionMaxSeconds: 1e9,
      shards: SHARDS.length,
    };
    this.#send(stream, { settings, keys: keysOf(this.kids) });
    for (const shard of SHARDS) {
      const { entries } = this.#window(shard);
      this.#send(stream, {
        shards: this.#state(shard),
        revocations: [...entries.values()].map((each) => wire(shard, each)),
      });
    }
    this.#send(stream, { caughtUp: true });
    return stream;
  }

  useKeys(kids: readonly string[]): void {
    this.kids = kids;
    this.#broadcast({ keys: keysOf(kids) });
  }

  #window(shard: number): Window {
    const window = this.#windows[shard];
    if (!window) throw new Error('there is no such shard');
    return window;
  }

  *#read(): Generator<void, void> {
    const there = [...this.streams].map((stream) => ({ stream, id: stream.cameId }));
    const uncovered: number[] = [];
    const times: number[] = [];
    const news: Partial<WatchRevocationsResponse>[] = [];
    for (const shard of SHARDS) {
      try {
        const page = yield* this.#readShard(shard);
        yield;
        if (this.isGone) return;
        news.push(this.#takeIn(shard, page));
        times.push(page.nowMs);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        uncovered.push(shard);
      }
    }
    if (!this.faults.pongsFirst) for (const each of news) this.#broadcast(each);
    const bits = this.faults.hidesUncovered ? 0 : uncovered.reduce((sum, shard) => sum | (1 << shard), 0);
    const pong = { storeTimeMs: times.length === 0 ? 0 : Math.min(...times), uncovered: Buffer.of(bits) };
    for (const { stream, id: cameId } of there) {
      const id = this.faults.answersLatePings ? stream.cameId : cameId;
      if (id <= stream.answeredId) continue;
      stream.answeredId = id;
      this.#send(stream, { pong: { id, ...pong } });
    }
    if (this.faults.pongsFirst) for (const each of news) this.#broadcast(each);
  }

  *#readShard(shard: number) {
    const { store } = this;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      yield;
      store.reach(shard);
      const log = store.logs[shard];
      if (store.isSplit[shard]) yield;
      store.reach(shard);
      const [birth, incarnation, nowMs] = [store.births.get(shard), store.incarnation, store.nowMs];
      const exists = store.logs[shard] !== undefined;
      if (!(yield* this.reconciled(shard, incarnation)) || incarnation !== store.incarnation) continue;
      const knownMs = this.knownMs;
      this.knownMs = Math.max(knownMs, nowMs);
      if (!birth) yield* this.writeBirths();
      else if (!log || !exists || !birth.isLogged) {
        yield;
        store.reach(shard);
        const found = store.births.get(shard);
        if (!store.logs[shard] || found?.isLogged === false)
          store.append(shard, { kind: 'begin' }, this.accessTtlMs, this.knownMs);
        if (found) store.setBirth(shard, { ...found, isLogged: true });
      } else return { log, birth, incarnation, nowMs, knownMs };
    }
    throw new Unavailable();
  }

  #takeIn(
    shard: number,
    page: { log: readonly Entry[]; birth: Birth; incarnation: number; nowMs: number; knownMs: number },
  ) {
    const window = this.#window(shard);
    const { cursor } = window;
    const isKept =
      cursor !== undefined && (window.incarnation === page.incarnation || this.faults.keepsCursor === true);
    const fresh = page.log.filter((each) => !isKept || isAfter(each, cursor));
    const last = page.log.at(-1);
    window.incarnation = page.incarnation;
    window.cursor = last ?? cursor;
    const wholeSinceMs = Math.max(0, ...fresh.map((each) => each.wholeSinceMs));
    const bounds = [window.completeSinceMs ?? 0, fresh.length === 0 ? 0 : wholeSinceMs + MARGIN_MS];
    const latestMs = Math.max(page.knownMs, last?.atMs ?? 0);
    if (latestMs > page.nowMs + MARGIN_MS && !this.faults.trustsClock) bounds.push(latestMs + MARGIN_MS);
    const before = this.#state(shard);
    const revocations = fresh.filter((each) => each.what.kind !== 'begin' && this.#add(window, each));
    if (!window.birth || page.birth.atMs >= window.birth.atMs) window.birth = page.birth;
    for (const [key, each] of window.entries) {
      if (each.atMs + logWindowMs(this.accessTtlMs) >= page.nowMs) continue;
      window.entries.delete(key);
      bounds.push(each.atMs + MARGIN_MS);
    }
    window.completeSinceMs = Math.max(...bounds);
    const [now] = this.#state(shard);
    const shards = now && JSON.stringify([now]) !== JSON.stringify(before) ? [now] : [];
    return { shards, revocations: revocations.map((each) => wire(shard, each)) };
  }

  /** @returns whether it is new, or counts from later on */
  #add({ entries }: Window, entry: Entry): boolean {
    const key = JSON.stringify({ ...entry.what, notBeforeMs: undefined });
    const known = entries.get(key);
    const cutMs = (each: Entry | undefined): number => (each?.what.kind === 'cut' ? each.what.notBeforeMs : 0);
    if (known && cutMs(entry) <= cutMs(known) && (entry.atMs <= known.atMs || this.faults.keepsFirstTime)) return false;
    entries.delete(key);
    entries.set(key, known && known.atMs > entry.atMs ? { ...entry, atMs: known.atMs } : entry);
    return true;
  }

  #state(shard: number) {
    const { completeSinceMs, birth } = this.#window(shard);
    if (completeSinceMs === undefined || !birth) return [];
    return [{ shard, completeSinceMs, bornMs: birth.atMs, adoptedSinceMs: birth.adoptedSinceMs }];
  }

  #broadcast(message: Partial<WatchRevocationsResponse>): void {
    for (const stream of this.streams) this.#send(stream, message);
  }

  #send(stream: ModelStream, message: Partial<WatchRevocationsResponse>): void {
    if (stream.isOver) this.streams.delete(stream);
    else stream.messages.push({ ...EMPTY, ...message });
  }
}

const keysOf = (kids: readonly string[]) => ({
  keys: kids.map((kid) => ({ kid, kty: 'EC', use: 'sig', alg: 'ES256', crv: '', x: '', y: '', n: '', e: '' })),
});

/** The 16 bytes by which a session or a subject is named. */
export const idBytes = (name: string): Buffer => Buffer.from(name.padEnd(16, '.'), 'latin1');

function wire(shard: number, { what, atMs }: Entry): Revocation {
  const named = { shard, atMs };
  if (what.kind === 'end') return { ...named, sessionId: idBytes(what.sid) };
  if (what.kind === 'cut') return { ...named, subject: { subject: idBytes(what.sub), notBeforeMs: what.notBeforeMs } };
  if (what.kind === 'doubt' && what.sid !== undefined) return { ...named, doubtfulSessionId: idBytes(what.sid) };
  return { ...named, doubtfulSubject: idBytes(what.kind === 'doubt' ? what.sub : '') };
}
