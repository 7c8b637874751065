// The ports of the core: store, keys, cache, cryptography, and one call's context.
// The core holds the rules; an adapter keeps the promises below and adds none.

import type { StoreUnavailable } from './errors.js';
import type { AuditEvent } from './events/audit.js';
import type { LogPage } from './feed/log-entry.js';
import type { StoreKey } from './session/store-keys.js';
import type { TokenSigner } from './session/token-pair.js';
import type { Claims } from './token/claims.js';
import type { SessionId } from './token/session-id.js';
import type { Sha256, VerifiedJws } from './token/verified-jws.js';

/** A value to write. The store adds its own time, so that nodes agree on the order whatever their clocks say. */
export interface EntryUpdate {
  /** The value without its stamp; printable ASCII. */
  readonly value: string;
  /** The lower bound of the stamp, Unix ms: the stamp is the store's time, or this if it is later. */
  readonly atLeastMs: number;
  /** The upper bound of the stamp, Unix ms: a restored entry keeps its old stamp. */
  readonly atMostMs?: number;
  /**
   * How long the entry is kept from now, ms, over 0. A longer lifetime that it has already is kept. undefined: without
   * expiry.
   */
  readonly lifetimeMs: number | undefined;
  /** The deadline of the write, the store's time, Unix ms. */
  readonly notAfterMs: number;
  /**
   * Present if the write ends a session or cuts off a subject. It is then appended to the shard's log, in the same
   * atomic step and before it.
   */
  readonly logged?: LoggedEnd;
}

/** What the log must know of an end. */
export interface LoggedEnd {
  /** The latest `iat` of a token that led to it, Unix ms, a lower bound of the time; 0: there is no token. */
  readonly presentedMs: number;
}

/** The result of a compare-and-set. */
export interface CompareAndSetResult {
  /** Whether the text at the key was the expected one, and the update was written. */
  readonly applied: boolean;
  /** The text now at the key: the one just written, or another one that was found; undefined: none. */
  readonly current: string | undefined;
  /** If it was applied, the count in the shard's birth record, which includes it; undefined: there is no record. */
  readonly writes?: number;
}

/**
 * The denylist. Texts are opaque to an adapter, except for what `compareAndSet` writes, `1 <stamp in Unix ms> <value>`,
 * and for the number at the end of a shard's birth record, which it raises.
 *
 * Every method that gets no answer within the adapter's time bound, or no trustworthy one (such as a key of another
 * type), rejects with StoreUnavailable. A rejected write may still have happened.
 */
export interface Store {
  /** The number of shards; each has a birth record of its own. Never changes for a data set. */
  readonly shards: number;
  /** The shard of a subject, 0 to `shards - 1`. All entries of a subject are in its shard. */
  shardOf(subject: string): number;

  /**
   * A shard's time, Unix ms; never ahead of its future stamps. Shards may be on different machines, so the times of two
   * shards must not be compared. @throws StoreUnavailable if it is not known yet
   */
  now(shard: number): number;
  /**
   * The time since which this process has reached the store, or some of its shards, without a break, the store's time,
   * Unix ms; undefined: it reaches none.
   */
  readonly reachableSinceMs: number | undefined;
  /** How long since a time (Unix ms) this process has reached a shard, ms: outages do not count. */
  reachedMsSince(shard: number, atMs: number): number;
  /**
   * Calls back with true whenever the store, or some of its shards, becomes reachable, and with false when no shard is
   * reachable. Returns a function that stops this.
   */
  watch(listener: (reachable: boolean) => void): () => void;
  /**
   * Identifies the server that answers for a shard now. Another server, or the same one after a restart, may have lost
   * writes. undefined: none has answered yet.
   */
  incarnationOf(shard: number): string | undefined;

  /**
   * The texts at some keys; undefined for a missing or expired one. All keys of a call must belong to one shard. They
   * are read atomically, after the call.
   */
  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]>;

  /**
   * Compare-and-set: writes `1 <stamp> <update.value>` if the text at the key equals `expected` (undefined: no text),
   * and raises the count in the shard's birth record, if there is one and `key` is not the record itself. Atomic, and
   * durable before the answer. Once the store's time is past `update.notAfterMs`, it writes nothing and rejects with
   * StoreUnavailable: a paused store must not run the write of a caller that has given up.
   */
  compareAndSet(key: StoreKey, expected: string | undefined, update: EntryUpdate): Promise<CompareAndSetResult>;

  /**
   * Resolves once everything that a shard's incarnation has read or written by now would survive the loss of its
   * server.
   * @throws StoreUnavailable if too few replicas confirm within the adapter's time bound, or another incarnation
   * answers
   */
  waitForReplicas(shard: number, incarnation: string | undefined): Promise<void>;
}

/**
 * The logs of ended sessions and cut-off subjects, one for each shard. Every write appends to its shard's log what it
 * ends. A write that finds a count in the birth record without the mark of a version that keeps the log begins the log
 * anew, and marks the count.
 */
export interface RevocationLogs {
  /**
   * The highest time of a shard that this process has seen, Unix ms; 0: none yet. It stays if the shard's clock is set
   * back, or if a server with an earlier clock takes over.
   */
  latestMs(shard: number): number;
  /**
   * Reads all logs, each from after its cursor (undefined: from its start), then whether it exists, then the birth
   * record of its shard: in this order, since the record vouches for what the log lacks. After the call.
   * @returns by shard the page, or why it is not known. Never rejects
   */
  readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]>;
  /**
   * Begins a shard's log, if it is missing, or if the count in the birth record is not marked.
   * @throws StoreUnavailable
   */
  beginLog(shard: number): Promise<void>;
}

/**
 * A signing key's public half: the members that RFC 7517 and RFC 7518, section 6, define for verifiers, and no other.
 */
export interface PublicKey {
  readonly kty: string;
  readonly use: 'sig';
  readonly alg: string;
  readonly kid: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** The signing keys. */
export interface Keys extends TokenSigner {
  /** The `kid` of the key that signs new pairs. It may change at any time. */
  readonly signingKid: string;
  /** How long a new key only verifies before it signs, ms. */
  readonly delayMs: number;
  /**
   * Signs the response to an introspection (RFC 9701, section 5) with the key that signs new access tokens.
   * @returns undefined if that key is a secret: no client could verify the signature
   */
  signIntrospection(claims: Claims): string | undefined;
  /** Verifies a token's format and signature. @throws TokenRefused MALFORMED, UNKNOWN_KEY or BAD_SIGNATURE */
  verify(token: string): VerifiedJws;
  /** Whether tokens signed by a key are still accepted. */
  accepts(kid: string): boolean;
  /**
   * Looks for new keys. Any token can trigger it, so it is bounded: at most once a second, shared by concurrent
   * callers, without a long wait. Never rejects.
   * @returns whether there are new keys
   */
  rescan(): Promise<boolean>;
  /** The public halves of all asymmetric keys, in no particular order. */
  publicKeys(): readonly PublicKey[];
}

/** A bounded cache. The least recently used value is evicted first; any value may disappear at any time. */
export interface Memory<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

/** Cryptography besides keys. */
export interface Crypto extends Sha256 {
  randomBytes(count: number): Uint8Array;
}

/** The context of one call, from the transport. */
export interface Call {
  /** How long the caller still waits, ms. Nothing is written afterwards. */
  readonly budgetMs: number;
  /** Sets the session that the call is about, for its log line. */
  setSessionId(sessionId: SessionId): void;
  audit(event: AuditEvent): void;
}
