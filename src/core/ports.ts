// Owns what the core needs from outside: the store, the keys, the randomness, and where audit events go.
// The rules are on this side; an implementer keeps the promises below and adds none.

import type { AuditEvent } from './audit.js';
import type { SessionId } from './session.js';

/** Names an entry. How a name becomes a key is the adapter's own affair. */
export type StoreKey =
  | { readonly kind: 'session'; readonly subject: string; readonly sessionId: SessionId }
  | { readonly kind: 'not-before'; readonly subject: string }
  | { readonly kind: 'birth'; readonly shard: number };

/** Names an entry that was written for a session or a subject. */
export type EntryKey = Exclude<StoreKey, { readonly kind: 'birth' }>;

/** What to write. The store puts its own time to it, so that two nodes agree on order whatever their clocks say. */
export interface Draft {
  /** The value without its stamp; printable ASCII. */
  readonly value: string;
  /** The stamp is the store's time, Unix ms, or this if it is later. */
  readonly atLeastMs: number;
  /** The stamp is this if it would be later, Unix ms: for what was stamped before, and is put back. */
  readonly atMostMs?: number;
}

/** How a swap ended. */
export interface Swapped {
  readonly won: boolean;
  /** What stands at the key now: the text just written, or the one that was in the way; undefined for nothing. */
  readonly current: string | undefined;
  /** Of a swap that was won: the count in the shard's birth record with it; none if there is no record. */
  readonly writes?: number;
}

/**
 * The denylist. Texts are opaque to an adapter but for what `swap` writes: `1 <stamp in Unix ms> <value>`, and for the
 * number at the end of a shard's birth record, which it raises.
 *
 * Every method that cannot be answered within the adapter's time bound, or whose answer cannot be believed (a key of
 * another type, say), rejects with StoreUnavailable; a rejected swap may still have been written.
 */
export interface Store {
  /** Into how many shards subjects are spread; each has a birth record of its own. Never changes for a data set. */
  readonly shards: number;
  /** The shard of a subject, 0 to `shards - 1`. All entries of a subject are in its shard. */
  shardOf(subject: string): number;

  /**
   * A shard's time, Unix ms; never ahead of the stamps to come in it. Shards may be on machines of their own, so times of
   * two shards are not to be compared. @throws StoreUnavailable if it is not known yet
   */
  now(shard: number): number;
  /**
   * Since when this process has reached the store, or some of its shards, without a break, in the store's time, Unix ms;
   * undefined: it reaches none.
   */
  readonly reachableSinceMs: number | undefined;
  /** How long since a time (Unix ms) this process has reached a shard, ms: what was spent away does not count. */
  reachedMsSince(shard: number, atMs: number): number;
  /**
   * Calls back with true whenever the store, or some of its shards, can be reached again, and with false when none can be
   * any more. Returns the way to stop that.
   */
  watch(listener: (reachable: boolean) => void): () => void;
  /**
   * Names the server that answers for a shard now. Another one, or the same one started anew, may hold less than was
   * written. undefined: none has answered yet.
   */
  incarnationOf(shard: number): string | undefined;

  /**
   * The texts at some keys, undefined for nothing or for what has expired. All keys of one call must be of one shard;
   * they are read at one moment, and that moment is after the call.
   */
  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]>;

  /**
   * Writes `1 <stamp> <next.value>` if `expected` is, to the letter, what stands (undefined: nothing stands), and with
   * any entry but a birth record raises the count in the shard's birth record, if there is one. One atomic step,
   * durable before it is answered. Nothing is written, and the answer is StoreUnavailable, once the
   * store's time is past `notAfterMs`: a paused store must not run the write of a caller that has given up.
   *
   * @param lifetimeMs how long the entry is kept from now, over 0; an entry that would have been kept longer keeps
   *   its later end. undefined: for ever.
   */
  swap(
    key: StoreKey,
    expected: string | undefined,
    next: Draft,
    lifetimeMs: number | undefined,
    notAfterMs: number,
  ): Promise<Swapped>;

  /**
   * Resolves once whatever a shard's incarnation has answered until now, read or written, would outlive the loss of its
   * server.
   * @throws StoreUnavailable if too few copies of it are made within the adapter's time bound, or another one answers now
   */
  settle(shard: number, incarnation: string | undefined): Promise<void>;
}

/** What a key is for. `adopted`: the secret of another issuer whose tokens we take over. */
export type KeyUse = 'access' | 'refresh' | 'adopted';

/** A token whose signature is good. Nothing else about it has been checked. */
export interface Opened {
  readonly use: KeyUse;
  /** The header's `kid`; undefined for an adopted token, which names no key. */
  readonly kid: string | undefined;
  /** The header's `typ`. */
  readonly typ: unknown;
  readonly payload: unknown;
}

/** The public half of a signing key: what RFC 7517 and RFC 7518, section 6, have a verifier need, and nothing else. */
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
export interface Keys {
  /** The `kid` that new pairs are signed with. It may change from one moment to the next. */
  readonly signingKid: string;
  /** How long a new key only verifies before it signs, ms. */
  readonly delayMs: number;
  /** Checks a token's form and signature. @throws TokenRefused MALFORMED, UNKNOWN_KEY or BAD_SIGNATURE */
  open(token: string): Opened;
  /** Whether tokens that a key has signed are still taken. */
  verifies(kid: string): boolean;
  /**
   * Signs claims. The same claims under the same key give the same bytes, but for ES256.
   * @param kid the key; one that is no longer known is replaced by the signing key
   */
  seal(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string;
  /**
   * Looks whether there are keys that are not known yet. Asked for by anybody's token, so it is bounded: a look a
   * second at most, shared by all who ask, and no long wait. Never rejects.
   * @returns whether there are new ones now
   */
  rescan(): Promise<boolean>;
  /** The public halves of all keys that have one, in no order that means anything. */
  publicKeys(): readonly PublicKey[];
}

/** A bounded memory. What was not asked for for longest goes first; anything may be gone at any time. */
export interface Memory<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

/** What the core needs of cryptography besides keys. */
export interface Crypto {
  randomBytes(count: number): Uint8Array;
  sha256(text: string): Uint8Array;
}

/** One call's circumstances, from the transport. */
export interface Call {
  /** How long the caller will still wait, ms. A write is not made after it. */
  readonly budgetMs: number;
  /** Hears which session the call is about, as soon as that is known; for the log. */
  concerns(sessionId: SessionId): void;
  audit(event: AuditEvent): void;
}
