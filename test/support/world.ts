// A store for tests whose every step is taken by hand: two nodes, one data set, and whatever order is wanted.

import type { Context } from '../../src/core/context.js';
import { Births } from '../../src/core/durability/births.js';
import { GuardedStore } from '../../src/core/durability/guarded-store.js';
import { Ledger, type Setback } from '../../src/core/durability/ledger.js';
import { OutageLog } from '../../src/core/durability/outage-log.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import { Revocations } from '../../src/core/events/revocations.js';
import type { Policy } from '../../src/core/policy.js';
import type { Call, CompareAndSetResult, EntryUpdate, Keys, Store } from '../../src/core/ports.js';
import { LatestSessionStart } from '../../src/core/session/latest-session-start.js';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import type { Login } from '../../src/core/use-cases/issue.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

export const POLICY: Policy = {
  accessTtlMs: 5 * MINUTE,
  refreshTtlMs: 7 * DAY,
  sessionMaxMs: 30 * DAY,
  graceMs: 30 * SECOND,
  toleranceMs: 5 * SECOND,
  issuer: undefined,
  audience: [],
  subjectClaim: 'sub',
  foreignSinceMs: undefined,
  clientId: undefined,
  // The plain keys take whatever says that it is adopted.
  adopts: true,
};

/** A step of a call that waits to be taken: the read or the swap that it has asked for. */
export interface Step {
  readonly node: number;
  readonly kind: 'read' | 'swap';
  take(): void;
  fail(): void;
}

interface Kept {
  readonly text: string;
  readonly untilMs: number;
}

const entryId = (key: StoreKey): string =>
  JSON.stringify(
    key.kind === 'birth' ? [key.kind, key.shard] : [key.kind, key.subject, 'sessionId' in key && key.sessionId],
  );

const shardOf = (subject: string): number => subject.length % 2;

export class World {
  /** The one true time, Unix ms: the store's. */
  nowMs = 100 * DAY;
  readonly pending: Step[] = [];
  readonly #reach = new OutageLog();
  /** A planted bug: a swap that does not look at what it expects. */
  ignoreExpected = false;
  #kept = new Map<string, Kept>();
  /** How often the store has been replaced by another. */
  incarnation = 0;
  /** Whether enough replicas have what is written; undefined: nobody asks. */
  replicated: boolean | undefined;

  get size(): number {
    return [...this.#kept.keys()].filter((name) => !name.startsWith('["birth"')).length;
  }

  /** All that is kept, for `goBackTo`. */
  snapshot(): ReadonlyMap<string, unknown> {
    return new Map(this.#kept);
  }

  /** Makes the store what it was, as a failover that lost writes does, or an old snapshot; what waits for it fails. */
  goBackTo(snapshot: ReadonlyMap<string, unknown>, incarnation = this.incarnation + 1): void {
    for (const step of [...this.pending]) step.fail();
    this.#kept = new Map(snapshot as ReadonlyMap<string, Kept>);
    this.incarnation = incarnation;
  }

  flush(): void {
    this.#kept.clear();
  }

  constructor(reachedSinceMs = 0) {
    this.#reach.reached(reachedSinceMs);
  }

  /** Whether the nodes can reach the store; what waits for it when it goes fails. */
  setReachable(reachable: boolean): void {
    if (reachable) this.#reach.reached(this.nowMs);
    else this.#reach.lost(this.nowMs);
    if (!reachable) for (const step of [...this.pending]) step.fail();
  }

  /** Takes over what another store holds. */
  copyFrom(other: World): void {
    for (const [name, kept] of other.#kept) this.#kept.set(name, kept);
  }

  /** Loses one session's entry, as an eviction would. */
  evict(sessionId: string): void {
    for (const name of this.#kept.keys()) if (name.includes(sessionId)) this.#kept.delete(name);
  }

  /** Puts an entry back as it was, as a store that has lost writes would. */
  put(key: StoreKey, text: string): void {
    this.#kept.set(entryId(key), { text, untilMs: Number.POSITIVE_INFINITY });
  }

  get(key: StoreKey): string | undefined {
    const kept = this.#kept.get(entryId(key));
    return kept && kept.untilMs > this.nowMs ? kept.text : undefined;
  }

  lifetimeMs(key: StoreKey): number | undefined {
    const kept = this.#kept.get(entryId(key));
    return kept && kept.untilMs - this.nowMs;
  }

  compareAndSet(key: StoreKey, expected: string | undefined, next: EntryUpdate): CompareAndSetResult {
    const current = this.get(key);
    if (current !== expected && !this.ignoreExpected) return { applied: false, current };
    const { value, atLeastMs, atMostMs = Number.POSITIVE_INFINITY, lifetimeMs = Number.POSITIVE_INFINITY } = next;
    const text = `1 ${Math.min(Math.max(this.nowMs, atLeastMs), atMostMs)} ${value}`;
    const untilMs = Math.max(
      this.nowMs + lifetimeMs,
      current === undefined ? 0 : (this.#kept.get(entryId(key))?.untilMs ?? 0),
    );
    this.#kept.set(entryId(key), { text, untilMs });
    if (key.kind === 'birth') return { applied: true, current: text };
    const birth: StoreKey = { kind: 'birth', shard: shardOf(key.subject) };
    const [, head, count] = /^(.*) (\d+)$/.exec(this.get(birth) ?? '') ?? [];
    if (head === undefined) return { applied: true, current: text };
    const writes = Number(count) + 1;
    this.put(birth, `${head} ${writes}`);
    return { applied: true, current: text, writes };
  }

  /**
   * A node's view of the store.
   * @param lagMs how far the node's idea of the store's time is behind
   */
  store(node: number, lagMs: () => number = () => 0): Store {
    const step = <T>(kind: 'read' | 'swap', run: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const take = (): void => {
          this.pending.splice(this.pending.indexOf(step), 1);
          try {
            resolve(run());
          } catch (error) {
            reject(error);
          }
        };
        const fail = (): void => {
          this.pending.splice(this.pending.indexOf(step), 1);
          reject(new StoreUnavailable('away'));
        };
        const step: Step = { node, kind, take, fail };
        this.pending.push(step);
      });
    const incarnation = (): string => `${this.incarnation}`;
    const sinceMs = (): number | undefined => this.#reach.sinceMs;
    return {
      shards: 2,
      shardOf,
      incarnationOf: incarnation,
      get reachableSinceMs() {
        return sinceMs();
      },
      waitForReplicas: async () => {
        if (this.replicated === false) throw new StoreUnavailable('too few replicas');
      },
      now: () => this.nowMs - lagMs(),
      reachedMsSince: (_shard, atMs) => this.#reach.reachedMsSince(atMs, this.nowMs),
      watch: (listener) => this.#reach.watch(listener),
      read: (keys) => step('read', () => keys.map((key) => this.get(key))),
      compareAndSet: (key, expected, next) =>
        step('swap', () => {
          if (this.nowMs > next.notAfterMs) throw new StoreUnavailable('late');
          return this.compareAndSet(key, expected, next);
        }),
    };
  }
}

/** Keys without cryptography: a token is its use, key and claims as JSON. Everything but forgery can be shown with it. */
export const plainKeys: Keys = {
  signingKid: 'k',
  delayMs: 0,
  verify: (token) => {
    const { use, typ, kid, payload } = JSON.parse(token);
    return { use, typ, kid, payload };
  },
  sign: (use, payload, kid) => JSON.stringify({ use, typ: use === 'access' ? 'at+jwt' : 'rt+jwt', kid, payload }),
  signIntrospection: (payload) => JSON.stringify({ use: 'access', typ: 'token-introspection+jwt', kid: 'k', payload }),
  accepts: () => true,
  rescan: () => Promise.resolve(false),
  publicKeys: () => [],
};

/** A node's core, and the parts that its store is made of. */
export interface Node extends Context {
  readonly bareStore: Store;
  readonly births: Births;
  readonly ledger: Ledger;
  readonly revocations: Revocations;
}

let made = 0;

/**
 * A node's core on a view of the store.
 * @param tell hears of a store that has gone back
 */
export function node(store: Store, policy: Policy = POLICY, tell: (setback: Setback) => void = () => {}): Node {
  const births = new Births(store, policy.foreignSinceMs);
  const ledger = new Ledger(store, tell);
  const revocations = new Revocations((error) => {
    throw error;
  });
  return {
    bareStore: store,
    births,
    ledger,
    revocations,
    store: new GuardedStore({ store, births, ledger, revocations }),
    keys: plainKeys,
    policy,
    latestStart: new LatestSessionStart(),
    verified: new Map(),
    crypto: {
      randomBytes: (count) => {
        made++;
        // The last bytes count up, so that no two sessions are the same.
        return Uint8Array.from({ length: count }, (_, index) =>
          index > count - 5 ? made >> (8 * (count - 1 - index)) : 0,
        );
      },
      sha256: (text) => Uint8Array.from({ length: 32 }, (_, index) => text.charCodeAt(index % text.length)),
    },
  };
}

/** A call that waits as long as it takes. */
export const aCall = (audit: Call['audit'] = () => {}): Call => ({ budgetMs: 60_000, setSessionId: () => {}, audit });

/** Lets every promise that can go on do so, up to its next step. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs one call from start to end, taking its steps at once. */
export async function run<T>(world: World, call: Promise<T>): Promise<T> {
  let open = true;
  const done = call.finally(() => {
    open = false;
  });
  done.catch(() => {});
  await settle();
  while (open) {
    world.pending[0]?.take();
    await settle();
  }
  return done;
}

/** A login that says nothing but whose it is. */
export const loginOf = (subject: string): Login => ({ subject, claims: {}, clientId: '', scope: '' });
