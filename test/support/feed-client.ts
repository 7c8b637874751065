// A client of the revocation feed as docs/revocation-feed.md describes it, without gRPC: it takes decoded messages.

import type { Revocation, Settings, WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { MARGIN_MS } from '../../src/core/feed/limits.js';

const SLACK_MS = 70_000;

/** A token as it is decided on. Times in Unix ms. */
export interface Judged {
  readonly shard: number;
  readonly sessionId: string;
  /** The subject's id in the feed. */
  readonly subject: string;
  readonly startMs: number;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** When a ping was sent, by a clock that is never set. */
interface Sent {
  readonly id: number;
  readonly atMs: number;
}

interface Held {
  readonly shard: number;
  readonly atMs: number;
  readonly notBeforeMs: number;
}

/** Planted faults. */
export interface ClientFaults {
  /** The first word of a new stream counts at once. */
  readonly takesFirstWord?: boolean;
}

export class FeedClient {
  readonly #steadyMs: () => number;
  readonly #faults: ClientFaults;
  readonly #ended = new Map<string, Held>();
  readonly #doubts = new Map<string, Held>();
  readonly #cuts = new Map<string, Held>();
  readonly #bornMs = new Map<number, number>();
  readonly #completeMs = new Map<number, number>();
  /** Of the present stream, until its first pong. */
  readonly #nextMs = new Map<number, number>();
  readonly #asOf = new Map<number, Sent>();
  #pings: Sent[] = [];
  #pingId = 0;
  #settings: Settings | undefined;
  #time: { readonly storeMs: number; readonly atMs: number } | undefined;
  #highestMs = 0;

  constructor(steadyMs: () => number, faults: ClientFaults = {}) {
    this.#steadyMs = steadyMs;
    this.#faults = faults;
  }

  /** Begins a new stream. */
  connect(): void {
    this.#nextMs.clear();
    this.#pings = [];
  }

  ping(): number {
    this.#pings.push({ id: ++this.#pingId, atMs: this.#steadyMs() });
    return this.#pingId;
  }

  take(message: WatchRevocationsResponse): void {
    if (message.settings) this.#settings = message.settings;
    for (const { shard, completeSinceMs, bornMs } of message.shards) {
      const to = this.#faults.takesFirstWord ? this.#completeMs : this.#nextMs;
      if (!this.#nextMs.has(shard)) this.#nextMs.set(shard, 0);
      to.set(shard, this.#faults.takesFirstWord ? completeSinceMs : Math.max(completeSinceMs, to.get(shard) ?? 0));
      this.#bornMs.set(shard, Math.max(bornMs, this.#bornMs.get(shard) ?? 0));
    }
    for (const revocation of message.revocations) this.#add(revocation);
    if (message.pong) this.#answered(message.pong.id, message.pong.storeTimeMs, message.pong.uncovered);
    this.#drop();
  }

  /** The last ping whose pong covers the shard. */
  asOfId(shard: number): number {
    return this.#asOf.get(shard)?.id ?? 0;
  }

  /** How old the knowledge of a shard is, ms. */
  ageMs(shard: number): number {
    const sent = this.#asOf.get(shard);
    return sent ? this.#steadyMs() - sent.atMs : Number.POSITIVE_INFINITY;
  }

  /** @param isFresh whether the knowledge of the shard is fresh enough */
  judge(token: Judged, isFresh: boolean): 'active' | 'revoked' | 'expired' | 'ask' {
    const { shard, sessionId, subject, startMs, issuedMs, expiresMs } = token;
    const cutMs = this.#cuts.get(subject)?.notBeforeMs ?? 0;
    if (this.#ended.has(sessionId) || startMs <= cutMs || startMs <= (this.#bornMs.get(shard) ?? 0)) return 'revoked';
    const nowMs = this.#nowMs();
    if (!this.#settings || nowMs === undefined) return 'ask';
    const endMs = Math.min(expiresMs, issuedMs + this.#settings.accessTtlSeconds * 1000);
    if (nowMs >= endMs) return 'expired';
    if (this.#doubts.has(sessionId) || this.#doubts.has(subject) || !isFresh) return 'ask';
    const completeMs = this.#completeMs.get(shard) ?? Number.POSITIVE_INFINITY;
    return issuedMs < completeMs || issuedMs > nowMs + MARGIN_MS ? 'ask' : 'active';
  }

  #nowMs(): number | undefined {
    return this.#time && this.#time.storeMs + this.#steadyMs() - this.#time.atMs;
  }

  #add({ shard, atMs, sessionId, subject, doubtfulSessionId, doubtfulSubject }: Revocation): void {
    const held = { shard, atMs, notBeforeMs: subject?.notBeforeMs ?? 0 };
    if (sessionId) keep(this.#ended, sessionId.toString('hex'), held);
    if (sessionId) this.#doubts.delete(sessionId.toString('hex'));
    if (subject) keep(this.#cuts, subject.subject.toString('hex'), held);
    const doubtful = doubtfulSessionId ?? doubtfulSubject;
    if (doubtful) keep(this.#doubts, doubtful.toString('hex'), held);
  }

  #answered(id: number, storeMs: number, uncovered: Buffer): void {
    const sent = this.#pings.find((each) => each.id === id);
    this.#pings = this.#pings.filter((each) => each.id > id);
    if (!sent) return;
    for (const [shard, nextMs] of this.#nextMs) {
      if (((uncovered[shard >> 3] ?? 0) >> (shard & 7)) & 1) continue;
      this.#asOf.set(shard, sent);
      this.#completeMs.set(shard, nextMs);
    }
    if (storeMs > 0) this.#setTime(storeMs, sent);
  }

  #setTime(storeMs: number, sent: Sent): void {
    const atMs = this.#steadyMs();
    const wasMs = Math.max(this.#highestMs, this.#nowMs() ?? 0);
    const highestMs = storeMs + atMs - sent.atMs;
    if (wasMs > highestMs + MARGIN_MS) for (const shard of this.#bornMs.keys()) this.#raise(shard, wasMs);
    const nowMs = this.#nowMs() ?? 0;
    this.#time = { storeMs: nowMs > highestMs ? storeMs : Math.max(nowMs, storeMs), atMs };
    this.#highestMs = Math.max(wasMs, this.#time.storeMs);
  }

  #drop(): void {
    const nowMs = this.#nowMs();
    if (nowMs === undefined || !this.#settings) return;
    const fromMs = nowMs - this.#settings.accessTtlSeconds * 1000 - SLACK_MS;
    for (const map of [this.#ended, this.#cuts, this.#doubts])
      for (const [id, { shard, atMs }] of map) {
        if (atMs >= fromMs) continue;
        map.delete(id);
        this.#raise(shard, atMs);
      }
  }

  #raise(shard: number, atMs: number): void {
    for (const map of [this.#completeMs, this.#nextMs])
      if (map.has(shard)) map.set(shard, Math.max(map.get(shard) ?? 0, atMs + MARGIN_MS));
  }
}

/** Of two the later counts, in both times. */
function keep(map: Map<string, Held>, id: string, held: Held): void {
  const before = map.get(id);
  const notBeforeMs = Math.max(held.notBeforeMs, before?.notBeforeMs ?? 0);
  map.set(id, { ...held, notBeforeMs, atMs: Math.max(held.atMs, before?.atMs ?? 0) });
}
