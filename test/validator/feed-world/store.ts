// A modelled store for histories of the feed: entries, births and logs of two shards, and a clock that can be set.
// Its steps can be lost. It also knows what is true, whatever clocks say.

import { logWindowMs, MARGIN_MS } from '../../../src/core/feed/limits.js';

export const SHARDS = [0, 1] as const;

/** The store, or a shard, cannot be reached. Without a stack: it is thrown a great many times. */
export class Unavailable {}

/** A session of the history. */
export interface Session {
  readonly sid: string;
  readonly sub: string;
  readonly shard: number;
  readonly startMs: number;
  readonly isForeign: boolean;
  /** When its first token was issued, true time, ms. */
  readonly issuedAtMs: number;
  /** The step since which the store holds an end of it without a break, and its true time. */
  heldStep: number | undefined;
  heldMs: number | undefined;
  /** The step at which an end of it was acknowledged, and its true time. */
  ackStep: number | undefined;
  ackMs: number | undefined;
  wasHeld: boolean;
}

export interface Birth {
  readonly atMs: number;
  readonly adoptedSinceMs: number | undefined;
  /** Whether the last writer keeps the log. */
  readonly isLogged: boolean;
}

export type What =
  | { readonly kind: 'end' | 'doubt'; readonly sid: string; readonly sub: string }
  | { readonly kind: 'cut'; readonly sub: string; readonly notBeforeMs: number }
  | { readonly kind: 'doubt'; readonly sid: undefined; readonly sub: string }
  | { readonly kind: 'begin' };

export interface Entry {
  readonly what: What;
  /** The id: a time, and a number within it. */
  readonly atMs: number;
  readonly seq: number;
  readonly wholeSinceMs: number;
}

/** The value at a session's key: ended, or the generation; at a subject's: the time of its cut-off. */
export type Value = { readonly ended: true } | { readonly generation: number } | { readonly notBeforeMs: number };

export interface Swap {
  readonly shard: number;
  readonly key: string;
  readonly expected: Value | undefined;
  readonly value: Value | ((nowMs: number) => Value);
  /** What it ends. */
  readonly what?: What;
  /** Without the birth record and the log: their slot is on its way. */
  readonly isAlone?: boolean;
  /** By a version that keeps no log. */
  readonly isOld?: boolean;
  readonly accessTtlMs: number;
  readonly knownMs: number;
}

const isSame = (a: Value | undefined, b: Value | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

export class ModelStore {
  /** The true time, ms. */
  trueMs = 1e9;
  /** Steps, in their true order. */
  step = 0;
  clockOffMs = 0;
  incarnation = 1;
  isUp = true;
  readonly isAway = [false, false];
  readonly isSplit = [false, false];
  readonly sessions = new Map<string, Session>();
  readonly values = new Map<string, Value>();
  readonly births = new Map<number, Birth>();
  readonly logs: (readonly Entry[] | undefined)[] = [undefined, undefined];
  /** Whether what was acknowledged survives a failover. */
  readonly waits: boolean;
  /** A planted fault: see `NodeFaults`. */
  trustsClock = false;
  /** The highest time that its clock had shown when it was first set, and when that was. */
  peakMs = 0;
  peakTrueMs = Number.POSITIVE_INFINITY;
  #undo: { readonly trueMs: number; readonly undo: () => void }[] = [];
  #synced = 0;

  constructor(waits: boolean) {
    this.waits = waits;
  }

  get nowMs(): number {
    return this.trueMs + this.clockOffMs;
  }

  /** @throws Unavailable */
  reach(shard: number): void {
    if (!this.isUp || this.isAway[shard]) throw new Unavailable();
  }

  /** Whatever was written by now survives a failover. */
  sync(): void {
    if (this.waits) this.#synced = this.#undo.length;
  }

  append(shard: number, what: What, accessTtlMs: number, knownMs: number): void {
    const before = this.logs[shard];
    this.#remember(() => {
      this.logs[shard] = before;
    });
    const birth = this.births.get(shard);
    const isMarked = !birth || birth.isLogged || this.isSplit[shard];
    const nowMs = this.nowMs;
    const last = before?.at(-1);
    const isAnew = !last || !isMarked;
    const fromMs = nowMs - logWindowMs(accessTtlMs);
    let wholeSinceMs = Math.max(isAnew ? Math.max(nowMs, knownMs) : last.wholeSinceMs, fromMs);
    const latestMs = Math.max(last?.atMs ?? 0, knownMs);
    if (latestMs > nowMs + MARGIN_MS && !this.trustsClock) wholeSinceMs = Math.max(wholeSinceMs, latestMs);
    const atMs = Math.max(nowMs, last?.atMs ?? 0);
    const seq = last?.atMs === atMs ? last.seq + 1 : 0;
    const begun: Entry[] = isAnew ? [{ what: { kind: 'begin' }, atMs, seq, wholeSinceMs }] : [];
    const kept = (before ?? []).filter((each) => each.atMs >= fromMs);
    const entry = { what, atMs, seq: seq + begun.length, wholeSinceMs };
    this.logs[shard] = what.kind === 'begin' ? [...kept, ...(isAnew ? begun : [entry])] : [...kept, ...begun, entry];
  }

  /** @returns the value now at the key, and whether this is the one that was to be written */
  swap(swap: Swap): { readonly applied: boolean; readonly current: Value | undefined } {
    const { shard, key, expected, value, what, isAlone = false, isOld = false } = swap;
    if (!isSame(this.values.get(key), expected)) return { applied: false, current: this.values.get(key) };
    const written = typeof value === 'function' ? value(this.nowMs) : value;
    const birth = this.births.get(shard);
    if (!isAlone && !isOld) {
      const logged = what?.kind === 'cut' && 'notBeforeMs' in written ? { ...what, ...written } : what;
      const mark: What | undefined = birth && !birth.isLogged ? { kind: 'begin' } : undefined;
      if (logged ?? mark) this.append(shard, logged ?? mark ?? { kind: 'begin' }, swap.accessTtlMs, swap.knownMs);
    }
    this.set(key, written);
    if (!isAlone && birth) this.setBirth(shard, { ...birth, isLogged: !isOld });
    this.see();
    return { applied: true, current: written };
  }

  set(key: string, value: Value): void {
    const before = this.values.get(key);
    this.#remember(() => (before === undefined ? this.values.delete(key) : this.values.set(key, before)));
    this.values.set(key, value);
  }

  setBirth(shard: number, birth: Birth): void {
    const before = this.births.get(shard);
    this.#remember(() => (before === undefined ? this.births.delete(shard) : this.births.set(shard, before)));
    this.births.set(shard, birth);
  }

  /** Looks which sessions the store holds an end of. @param isWiped whether it has just lost all that it held */
  see(isWiped = false): void {
    for (const session of this.sessions.values()) {
      const isHeld = this.#denies(session);
      if (isHeld && session.heldStep === undefined) {
        session.heldStep = ++this.step;
        session.heldMs = this.trueMs;
        session.wasHeld = true;
      } else if (!isHeld && !isWiped) {
        session.heldStep = undefined;
        session.heldMs = undefined;
      }
    }
  }

  /** The newest writes may be lost. Where replicas are waited for, none that was acknowledged is. */
  failOver(lostMs: number, clockOffMs: number, waits = this.waits): void {
    const fromMs = this.trueMs - lostMs;
    while (this.#undo.length > (waits ? this.#synced : 0)) {
      const last = this.#undo.at(-1);
      if (!last || last.trueMs <= fromMs) break;
      this.#undo.pop();
      last.undo();
    }
    this.#synced = Math.min(this.#synced, this.#undo.length);
    this.setClock(clockOffMs);
    this.incarnation++;
    this.see();
  }

  setClock(offMs: number): void {
    this.peakMs = Math.max(this.peakMs, this.nowMs);
    this.peakTrueMs = Math.min(this.peakTrueMs, this.trueMs);
    this.clockOffMs = offMs;
  }

  wipe(): void {
    this.values.clear();
    this.births.clear();
    this.logs.fill(undefined);
    this.#undo = [];
    this.#synced = 0;
    this.see(true);
  }

  #denies({ sid, sub, shard, startMs, isForeign }: Session): boolean {
    const [entry, cut, birth] = [this.values.get(sid), this.values.get(`u${sub}`), this.births.get(shard)];
    if (entry && 'ended' in entry) return true;
    if (cut && 'notBeforeMs' in cut && startMs <= cut.notBeforeMs) return true;
    return birth !== undefined && startMs <= bornMs(birth, isForeign);
  }

  #remember(undo: () => void): void {
    this.#undo.push({ trueMs: this.trueMs, undo });
  }
}

export const bornMs = ({ atMs, adoptedSinceMs }: Birth, isForeign: boolean): number =>
  isForeign ? (adoptedSinceMs ?? atMs) : atMs;
