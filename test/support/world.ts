// A store for tests whose every step is taken by hand: two nodes, one data set, and whatever order is wanted.

import { createHash } from 'node:crypto';
import type { Context } from '../../src/core/context.js';
import type { AckRecord } from '../../src/core/durability/ack-record.js';
import { Births } from '../../src/core/durability/births.js';
import { GuardedStore } from '../../src/core/durability/guarded-store.js';
import { Ledger, type Setback } from '../../src/core/durability/ledger.js';
import { OutageLog } from '../../src/core/durability/outage-log.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import { Revocations } from '../../src/core/events/revocations.js';
import { FeedReader } from '../../src/core/feed/feed-reader.js';
import { logWindowMs } from '../../src/core/feed/limits.js';
import { endText, type LogEntry, type LogPage } from '../../src/core/feed/log-entry.js';
import type { Policy } from '../../src/core/policy.js';
import type { Call, CompareAndSetResult, EntryUpdate, Keys, RevocationLogs, Store } from '../../src/core/ports.js';
import { parseNotBefore } from '../../src/core/session/entries.js';
import { LatestSessionStart } from '../../src/core/session/latest-session-start.js';
import type { EntryKey, StoreKey } from '../../src/core/session/store-keys.js';
import type { Login } from '../../src/core/use-cases/issue.js';
import { type Appending, appended, pageAfter, type WorldEntry } from './world-log.js';

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
  adoptedSinceMs: undefined,
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

/** The subject comes last, because it alone may have any text. */
const entryId = (key: StoreKey): string =>
  key.kind === 'birth'
    ? `${key.kind} ${key.shard}`
    : `${key.kind} ${'sessionId' in key ? key.sessionId : ''} ${key.subject}`;

const shardOf = (subject: string): number => subject.length % 2;
const logId = (shard: number): string => `log ${shard}`;
/** A subject's hash is its text in hex here, so that a test can see which subject it is. */
const idHex = (subject: string): string => Buffer.from(subject).toString('hex').padEnd(32, '0').slice(0, 32);
/** What the log says of an end. */
export const whatOf = (key: EntryKey): string =>
  endText(key.kind, key.kind === 'session' ? key.sessionId.replaceAll('-', '') : idHex(key.subject));

/** Who writes: what its node knows and does. */
interface Writer {
  /** The highest time that it has seen, Unix ms. */
  readonly latestMs: number;
  /** How long an entry of the log is needed, ms. */
  readonly windowMs: number;
  /** Whether it is of a version that keeps no log. */
  readonly isOld: boolean;
}

const NO_WRITER: Writer = { latestMs: 0, windowMs: logWindowMs(5 * MINUTE), isOld: false };

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
  /** Whether the store refuses to be read for its logs. */
  refuses = false;
  /** Whether enough replicas have what is written; undefined: replicas are not waited for. */
  replicated: boolean | undefined;

  get size(): number {
    return [...this.#kept.keys()].filter((name) => !/^(birth|log) /.test(name)).length;
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

  compareAndSet(
    key: StoreKey,
    expected: string | undefined,
    next: EntryUpdate,
    writer: Writer = NO_WRITER,
  ): CompareAndSetResult {
    const current = this.get(key);
    if (current !== expected && !this.ignoreExpected) return { applied: false, current };
    const { value, atLeastMs, atMostMs = Number.POSITIVE_INFINITY, lifetimeMs = Number.POSITIVE_INFINITY } = next;
    const stampMs = Math.min(Math.max(this.nowMs, atLeastMs), atMostMs);
    const text = `1 ${stampMs} ${value}`;
    const untilMs = Math.max(
      this.nowMs + lifetimeMs,
      current === undefined ? 0 : (this.#kept.get(entryId(key))?.untilMs ?? 0),
    );
    const birth = key.kind === 'birth' ? undefined : this.#countOf(shardOf(key.subject));
    if (key.kind !== 'birth' && !writer.isOld && (next.logged || (birth && !birth.isMarked))) {
      const entry = { what: whatOf(key), notBeforeMs: key.kind === 'not-before' ? stampMs : 0 };
      const latestMs = Math.max(writer.latestMs, next.logged?.presentedMs ?? 0);
      const isAnew = birth !== undefined && !birth.isMarked;
      this.append(shardOf(key.subject), next.logged && entry, { ...writer, latestMs, isAnew });
    }
    this.#kept.set(entryId(key), { text, untilMs });
    if (!birth) return { applied: true, current: text };
    this.put(birth.key, `${birth.head} ${writer.isOld ? '' : '0'}${birth.writes + 1}`);
    return { applied: true, current: text, writes: birth.writes + 1 };
  }

  #countOf(shard: number) {
    const key: StoreKey = { kind: 'birth', shard };
    const [, head, count = ''] = /^(.*) (\d+)$/.exec(this.get(key) ?? '') ?? [];
    return head === undefined ? undefined : { key, head, writes: Number(count), isMarked: /^0\d/.test(count) };
  }

  /** The log of a shard; undefined: it is missing. */
  logOf(shard: number): readonly WorldEntry[] | undefined {
    const kept = this.#kept.get(logId(shard));
    return kept && (JSON.parse(kept.text) as WorldEntry[]);
  }

  /** Deletes the log of a shard, as a hand would. */
  deleteLog(shard: number): void {
    this.#kept.delete(logId(shard));
  }

  /** Deletes the birth record of a shard, as a hand would. */
  deleteBirth(shard: number): void {
    this.#kept.delete(entryId({ kind: 'birth', shard }));
  }

  /** Appends as the stores do. */
  append(
    shard: number,
    entry: Pick<LogEntry, 'what' | 'notBeforeMs'> | undefined,
    { latestMs, windowMs, isAnew }: Omit<Appending, 'nowMs'>,
  ): void {
    const log = appended(this.logOf(shard) ?? [], entry, { nowMs: this.nowMs, windowMs, latestMs, isAnew });
    this.#kept.set(logId(shard), { text: JSON.stringify(log), untilMs: Number.POSITIVE_INFINITY });
  }

  /**
   * A node's view of the store.
   * @param lagMs how far the node's idea of the store's time is behind
   * @param kind of the node; without `isOld` it keeps the log
   */
  store(node: number, lagMs: () => number = () => 0, kind: Partial<Writer> = {}): Store & RevocationLogs {
    let latestMs = 0;
    const writer = (): Writer => ({ ...NO_WRITER, ...kind, latestMs });
    const seeTime = (): void => {
      latestMs = Math.max(latestMs, this.nowMs - lagMs());
    };
    const step = <T>(kind: 'read' | 'swap', run: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const take = (): void => {
          this.pending.splice(this.pending.indexOf(step), 1);
          try {
            seeTime();
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
    const away = new StoreUnavailable('away');
    const readLog = (shard: number, cursor: string | undefined): Promise<LogPage | StoreUnavailable> => {
      if (this.refuses) return Promise.resolve(away);
      const birth: StoreKey = { kind: 'birth', shard };
      const read = step('read', () => ({ ...pageAfter(this.logOf(shard), cursor), birthText: this.get(birth) }));
      return read.catch(() => away);
    };
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
      latestMs: () => latestMs,
      readLogs: (cursors) => Promise.all(cursors.map((cursor, shard) => readLog(shard, cursor))),
      beginLog: (shard) =>
        step('swap', () => {
          const birth = this.#countOf(shard);
          const isAnew = birth !== undefined && !birth.isMarked;
          if (isAnew || !this.logOf(shard)) this.append(shard, undefined, { ...writer(), isAnew });
          if (birth && isAnew) this.put(birth.key, `${birth.head} 0${birth.writes}`);
        }),
      read: (keys) => step('read', () => keys.map((key) => this.get(key))),
      compareAndSet: (key, expected, next) =>
        step('swap', () => {
          if (this.nowMs > next.notAfterMs) throw new StoreUnavailable('late');
          return this.compareAndSet(key, expected, next, writer());
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
  sign: (use, payload, kid) => {
    const text = JSON.stringify({ use, typ: use === 'access' ? 'at+jwt' : 'rt+jwt', kid, payload });
    // Texts of different tokens differ at their ends, as those with a signature do.
    return `${text.slice(0, -1)},"signature":"${createHash('sha256').update(text).digest('base64url')}"}`;
  },
  signIntrospection: (payload) => JSON.stringify({ use: 'access', typ: 'token-introspection+jwt', kid: 'k', payload }),
  accepts: () => true,
  rescan: () => Promise.resolve(false),
  publicKeys: () => [],
};

/** A node's core, and the parts that its store is made of. */
export interface Node extends Context {
  readonly bareStore: Store & RevocationLogs;
  readonly births: Births;
  readonly ledger: Ledger;
  readonly revocations: Revocations;
  readonly reader: FeedReader;
}

let made = 0;

/**
 * A node's core on a view of the store.
 * @param report called with each loss of writes that the ledger has found
 */
export function node(
  store: Store & RevocationLogs,
  policy: Policy = POLICY,
  report: (setback: Setback) => void = () => {},
): Node {
  const births = new Births(store, policy.adoptedSinceMs);
  const ledger = new Ledger(store, report);
  const revocations = new Revocations((error) => {
    throw error;
  });
  const windowMs = logWindowMs(policy.accessTtlMs);
  const entryOf = ({ shard, key, text, acknowledgedMs: atMs }: AckRecord) => {
    return {
      shard,
      what: whatOf(key),
      notBeforeMs: parseNotBefore(key.kind === 'session' ? undefined : text)?.atMs ?? 0,
      atMs,
    };
  };
  return {
    bareStore: store,
    reader: new FeedReader({ store, births, ledger, windowMs, entryOf }),
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
