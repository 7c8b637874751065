// The times of keys: which one signs, when one that signs no more may go, how long the public set may be cached.

import { MOST_PAUSE_MS } from './policy.js';

/** How often a node looks at its folder of keys. */
export const KEY_POLL_MS = 2_000;
/** How long after a file has come the last node may notice it: some polls, and a slow disk. */
const NOTICE_MS = 5 * KEY_POLL_MS;
/** The longest that anybody is told to keep the public keys. */
const MOST_CACHED_MS = 5 * 60 * 1000;

/** A key and its date, Unix ms: the newest key signs. */
export interface Dated {
  readonly kid: string;
  readonly sinceMs: number;
}

/** A key's place among the others. */
export interface ScheduledKey extends Dated {
  /** From when it may sign, ms, by the clock that is asked below. */
  readonly readyMs: number;
}

/** At least one, the newest first. */
export type NewestFirst<K> = readonly [K, ...K[]];

/** Sorts the newest first. Of one date the name decides, so that all nodes agree. */
export const newestFirst = (a: Dated, b: Dated): number => b.sinceMs - a.sinceMs || (a.kid < b.kid ? 1 : -1);

/** Within this time of each other two files may have been written in another order on another node, ms. */
const SAME_WRITE_MS = 10_000;

/**
 * The key whose date is too close to the newest one's for the dates to decide: a mount such as a Kubernetes Secret, or a
 * copy, dates all files anew, in an order that may differ from node to node. Undefined where the dates decide, or do not
 * count because a key is named.
 */
export function rivalOfNewest<K extends Dated>([newest, second]: NewestFirst<K>, isNamed: boolean): K | undefined {
  if (isNamed || !second) return undefined;
  return newest.sinceMs - second.sinceMs <= SAME_WRITE_MS ? second : undefined;
}

/** How long a key that is there at the start has still to wait, ms. A date in the future says nothing: it waits in full. */
export const startDelayMs = (sinceMs: number, nowMs: number, delayMs: number): number =>
  sinceMs > nowMs ? delayMs : Math.max(0, sinceMs + delayMs - nowMs);

/**
 * The key that signs: of those that have waited, the one that is named, else the newest. A key waits so that every node
 * can know it before it meets a token of it; it does not wait if no other has.
 */
export function signingKey<K extends ScheduledKey>(
  keys: NewestFirst<K>,
  activeKid: string | undefined,
  nowMs: number,
): K {
  const named = (among: readonly K[]): K | undefined => among.find(({ kid }) => kid === activeKid);
  const ready = keys.filter(({ readyMs }) => readyMs <= nowMs);
  // If none has waited, the one that has waited longest is known best.
  return named(ready) ?? ready[0] ?? named(keys) ?? keys.reduce((a, b) => (b.readyMs <= a.readyMs ? b : a));
}

/** The settings that say how long a key is needed, ms. */
export interface KeyTimes {
  readonly delayMs: number;
  readonly refreshTtlMs: number;
  readonly graceMs: number;
}

/**
 * From when no token of a key is alive, Unix ms. It stopped to sign when a newer one was ready at the last node, whose
 * file may come as late as the delay allows; its last refresh token lives REFRESH_TTL from then, and the retry of its
 * trade comes within the grace window, which may stand still.
 * @returns undefined for a key that signs, or may yet
 */
export function retirableMs<K extends ScheduledKey>(
  key: K,
  keys: NewestFirst<K>,
  activeKid: string | undefined,
  nowMs: number,
  { delayMs, refreshTtlMs, graceMs }: KeyTimes,
): number | undefined {
  const at = keys.indexOf(key);
  const next = keys[at - 1];
  // Newer than the one that is named: nothing tells whether it has signed, and when.
  const named = keys.findIndex(({ kid }) => kid === activeKid);
  if (!next || key === signingKey(keys, activeKid, nowMs) || at <= named) return undefined;
  return next.sinceMs + 2 * delayMs + NOTICE_MS + refreshTtlMs + graceMs + MOST_PAUSE_MS;
}

/** For how long the public keys may be cached, s: a verifier must look again before a new key signs. */
export const keySetMaxAgeS = (delayMs: number): number => Math.floor(Math.min(delayMs / 2, MOST_CACHED_MS) / 1000);
