// The service's rules in the modelled world, as steps: each `yield` is a moment at which anything else may happen.

import { bornMs, type ModelStore, SHARDS, type Swap, Unavailable, type Value, type What } from './store.js';

const SECOND = 1_000;
const MAX_CALL_MS = 2 * SECOND;
const ATTEMPTS = 4;

/** A token, as far as the rules need it. Times in Unix seconds. */
export interface ModelToken {
  readonly sid: string;
  readonly sub: string;
  readonly shard: number;
  readonly startMs: number;
  readonly generation: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly kid: string;
  readonly isForeign: boolean;
}

/** Which rules a node keeps: histories must break where one is missing. */
export interface NodeFaults {
  /** While a slot is on its way, an end is written without a doubt before it. */
  readonly noDoubt?: boolean;
  /** A position in a log is kept for another incarnation of the server. */
  readonly keepsCursor?: boolean;
  /** A pong answers pings that came while the logs were read. */
  readonly answersLatePings?: boolean;
  /** A pong is sent before what its round has found. */
  readonly pongsFirst?: boolean;
  /** A pong does not name the shards that could not be read. */
  readonly hidesUncovered?: boolean;
  /** A clock that is set back raises nothing. */
  readonly trustsClock?: boolean;
  /** What is logged again keeps its first time. */
  readonly keepsFirstTime?: boolean;
}

/** What a node knows apart from its feed. */
export class ServiceNode {
  readonly store: ModelStore;
  readonly accessTtlMs: number;
  readonly faults: NodeFaults;
  kids: readonly string[] = ['k1', 'k2'];
  /** A version that keeps no log. */
  isOld = false;
  isGone = false;
  /** The highest time of the store that it has seen, Unix ms. */
  knownMs = 0;
  readonly #incarnations = [0, 0];
  readonly #acknowledged: {
    readonly shard: number;
    readonly key: string;
    readonly value: Value;
    readonly what: What;
  }[] = [];

  constructor(store: ModelStore, accessTtlMs: number, faults: NodeFaults) {
    this.store = store;
    this.accessTtlMs = accessTtlMs;
    this.faults = faults;
  }

  *issue(sub: string, newId: () => string): Generator<void, ModelToken> {
    const shard = shardOf(sub);
    const { cut, birth } = yield* this.#stateOf(shard, undefined, sub);
    const nowMs = this.store.nowMs;
    this.knownMs = Math.max(this.knownMs, nowMs);
    const startMs = Math.max(nowMs, cut + 1, birth.atMs + 1);
    return this.#tokenAt(nowMs, { sid: newId(), sub, shard, startMs, generation: 0, isForeign: false });
  }

  *refresh(token: ModelToken): Generator<void, ModelToken | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const beganMs = this.store.trueMs;
      const { entry, cut, birth } = yield* this.#stateOf(token.shard, token.sid, token.sub);
      const nowMs = this.store.nowMs;
      const generation = entry && 'generation' in entry ? entry.generation : 0;
      const isDenied = token.startMs <= Math.max(bornMs(birth, token.isForeign), cut);
      if (isDenied || (entry && 'ended' in entry) || generation !== token.generation) return undefined;
      yield;
      if (this.store.trueMs - beganMs > MAX_CALL_MS) throw new Unavailable();
      const next = this.#tokenAt(nowMs, { ...token, generation: token.generation + 1 });
      const value = { generation: next.generation };
      if ((yield* this.#swap({ shard: token.shard, key: token.sid, expected: entry, value })).applied) return next;
    }
    return undefined;
  }

  *logout(token: ModelToken): Generator<void, void> {
    const { shard, sid, sub, startMs, isForeign } = token;
    const end = { shard, key: sid, value: { ended: true } as const, what: { kind: 'end', sid, sub } as const };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { entry, cut, birth } = yield* this.#stateOf(shard, sid, sub);
      const isEnded = entry !== undefined && 'ended' in entry;
      if (isEnded || startMs <= Math.max(cut, bornMs(birth, isForeign)))
        return this.#acknowledge(isEnded ? end : undefined, [sid]);
      const swapped = yield* this.#swap({ ...end, expected: entry, knownMs: this.#knownBy(token) });
      if (!swapped.applied) continue;
      yield;
      return this.isGone ? undefined : this.#acknowledge(end, [sid]);
    }
    throw new Unavailable();
  }

  *everywhere(token: ModelToken): Generator<void, void> {
    const { shard, sub, startMs } = token;
    const key = `u${sub}`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { cutText, cut, birth } = yield* this.#stateOf(shard, undefined, sub);
      const value = (nowMs: number) => ({ notBeforeMs: Math.max(nowMs, cut + 1, birth.atMs + 1, startMs) });
      const what = { kind: 'cut', sub, notBeforeMs: 0 } as const;
      const swap = { shard, key, expected: cutText, value, what, knownMs: this.#knownBy(token) };
      const { applied, current } = yield* this.#swap(swap);
      if (!applied || !current || !('notBeforeMs' in current)) continue;
      yield;
      if (this.isGone) return;
      const over = [...this.store.sessions.values()].filter(
        (each) => each.sub === sub && each.startMs <= current.notBeforeMs,
      );
      const record = { shard, key, value: current, what: { ...what, ...current } };
      return this.#acknowledge(
        record,
        over.map(({ sid }) => sid),
      );
    }
    throw new Unavailable();
  }

  /** ValidateToken. */
  *validate(token: ModelToken): Generator<void, 'active' | 'REVOKED' | 'EXPIRED' | 'UNKNOWN_KEY'> {
    if (!this.kids.includes(token.kid)) return 'UNKNOWN_KEY';
    const endMs = Math.min(token.expiresAt * SECOND, token.issuedAt * SECOND + this.accessTtlMs);
    if (this.store.nowMs >= endMs) return 'EXPIRED';
    const { entry, cut, birth } = yield* this.#stateOf(token.shard, token.sid, token.sub);
    const isDenied = token.startMs <= Math.max(bornMs(birth, token.isForeign), cut);
    if (isDenied || (entry && 'ended' in entry) || (!entry && token.generation > 0)) return 'REVOKED';
    return 'active';
  }

  /** Writes the births that are missing. */
  *writeBirths(): Generator<void, void> {
    for (const shard of SHARDS) {
      yield;
      this.store.reach(shard);
      const birth = { atMs: this.store.nowMs, foreignSinceMs: undefined, isLogged: !this.isOld };
      if (!this.store.births.has(shard)) this.store.setBirth(shard, birth);
      this.store.see();
    }
  }

  /**
   * Whether this node has looked at what this incarnation holds; if not, it restores what it had acknowledged.
   * @returns whether a read of that incarnation counts
   */
  *reconciled(shard: number, incarnation: number): Generator<void, boolean> {
    this.#incarnations[shard] ||= incarnation;
    if (this.#incarnations[shard] === incarnation) return true;
    for (const { shard: of, key, value, what } of [...this.#acknowledged]) {
      yield;
      this.store.reach(of);
      const current = this.store.values.get(key);
      const isThere =
        'notBeforeMs' in value
          ? current !== undefined && 'notBeforeMs' in current && current.notBeforeMs >= value.notBeforeMs
          : current !== undefined && 'ended' in current;
      if (!isThere) yield* this.#swap({ shard: of, key, expected: current, value, what });
    }
    this.#incarnations.fill(incarnation);
    return false;
  }

  *#stateOf(shard: number, sid: string | undefined, sub: string) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { values, births, isSplit, incarnation } = this.store;
      yield;
      this.store.reach(shard);
      const entry = sid === undefined ? undefined : values.get(sid);
      if (isSplit[shard]) yield;
      const cutText = values.get(`u${sub}`);
      // While the slot is on its way, keys are read one by one, the birth last.
      if (isSplit[shard]) yield;
      this.store.reach(shard);
      const [birth, found] = [births.get(shard), this.store.incarnation];
      this.knownMs = Math.max(this.knownMs, this.store.nowMs);
      if (!(yield* this.reconciled(shard, found)) || found !== this.store.incarnation) continue;
      if (found !== incarnation) continue;
      if (birth) return { entry, cutText, cut: cutText && 'notBeforeMs' in cutText ? cutText.notBeforeMs : 0, birth };
      yield* this.writeBirths();
    }
    throw new Unavailable();
  }

  *#swap(what: Omit<Swap, 'accessTtlMs' | 'knownMs' | 'isOld'> & { readonly knownMs?: number }) {
    const { store, accessTtlMs, isOld, knownMs } = this;
    const swap: Swap = { accessTtlMs, isOld, ...what, knownMs: Math.max(knownMs, what.knownMs ?? 0) };
    const { shard } = swap;
    yield;
    store.reach(shard);
    if (!store.isSplit[shard]) return store.swap(swap);
    const hasDoubt = swap.what && !isOld && !this.faults.noDoubt;
    const doubt = (): void => store.append(shard, doubtOf(swap.what), accessTtlMs, swap.knownMs);
    let { incarnation } = store;
    if (hasDoubt) {
      yield;
      store.reach(shard);
      incarnation = store.incarnation;
      doubt();
    }
    yield;
    store.reach(shard);
    const swapped = store.swap({ ...swap, isAlone: true });
    if (swapped.applied && hasDoubt && store.incarnation !== incarnation) {
      yield;
      store.reach(shard);
      doubt();
    }
    return swapped;
  }

  #acknowledge(
    record: { shard: number; key: string; value: Value; what: What } | undefined,
    sids: readonly string[],
  ): void {
    const { store } = this;
    if (record) this.#acknowledged.push(record);
    store.sync();
    for (const sid of sids) {
      const session = store.sessions.get(sid);
      if (!session || session.ackStep !== undefined) continue;
      session.ackStep = ++store.step;
      session.ackMs = store.trueMs;
    }
  }

  #knownBy({ issuedAt, isForeign }: ModelToken): number {
    return Math.max(this.knownMs, isForeign ? 0 : issuedAt * SECOND);
  }

  #tokenAt(nowMs: number, of: Omit<ModelToken, 'issuedAt' | 'expiresAt' | 'kid'>): ModelToken {
    const issuedAt = Math.floor(nowMs / SECOND);
    return { ...of, issuedAt, expiresAt: issuedAt + this.accessTtlMs / SECOND, kid: this.kids[0] ?? '' };
  }
}

export const shardOf = (sub: string): number => sub.charCodeAt(0) % SHARDS.length;

const doubtOf = (what: What | undefined): What =>
  what?.kind === 'end'
    ? { kind: 'doubt', sid: what.sid, sub: what.sub }
    : { kind: 'doubt', sid: undefined, sub: what && 'sub' in what ? what.sub : '' };
