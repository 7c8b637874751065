// The schedule of keys: which key signs, when an old key may be deleted, how long the public set may be cached.

import { MOST_PAUSE_MS } from './session/rules.js';

/** How often a node reads its key folder. */
export const KEY_POLL_MS = 2_000;
/** How long the last node may take to notice a new file: some polls, and a slow disk. */
const NOTICE_MS = 5 * KEY_POLL_MS;
/** The longest cache time of the public keys. */
const MOST_CACHED_MS = 5 * 60 * 1000;

/** A key and its date, Unix ms: the newest key signs. */
export interface Dated {
  readonly kid: string;
  readonly sinceMs: number;
}

/** A key's place among the others. */
export interface ScheduledKey extends Dated {
  /** The time from which it may sign, ms, by the same clock as `nowMs` below. */
  readonly readyMs: number;
}

/** A non-empty list, the newest first. */
export type NewestFirst<K> = readonly [K, ...K[]];

/** Sorts the newest first. For equal dates the name decides, so that all nodes agree. */
export const newestFirst = (a: Dated, b: Dated): number => b.sinceMs - a.sinceMs || (a.kid < b.kid ? 1 : -1);

/** Two files whose dates differ by less may have been written in another order on another node, ms. */
const SAME_WRITE_MS = 10_000;

/**
 * The key whose date is too close to the newest one's for the dates to decide: a mount such as a Kubernetes Secret, or
 * a copy, sets new dates on all files, in an order that may differ between nodes. Undefined if the dates decide, or if
 * they do not count because a key is named.
 */
export function rivalOfNewest<K extends Dated>([newest, second]: NewestFirst<K>, isNamed: boolean): K | undefined {
  if (isNamed || !second) return undefined;
  return newest.sinceMs - second.sinceMs <= SAME_WRITE_MS ? second : undefined;
}

/** How long a key that exists at the start still waits, ms. A date in the future is ignored: the key waits in full. */
export const startDelayMs = (sinceMs: number, nowMs: number, delayMs: number): number =>
  sinceMs > nowMs ? delayMs : Math.max(0, sinceMs + delayMs - nowMs);

/**
 * The key that signs: among those that have waited, the named one, else the newest. A key waits so that every node
 * loads it before a token signed by it arrives. If no key has waited, none waits.
 */
export function signingKey<K extends ScheduledKey>(
  keys: NewestFirst<K>,
  activeKid: string | undefined,
  nowMs: number,
): K {
  const named = (among: readonly K[]): K | undefined => among.find(({ kid }) => kid === activeKid);
  const ready = keys.filter(({ readyMs }) => readyMs <= nowMs);
  // If none has waited in full, the one that has waited longest is loaded on the most nodes.
  return named(ready) ?? ready[0] ?? named(keys) ?? keys.reduce((a, b) => (b.readyMs <= a.readyMs ? b : a));
}

/** The settings that decide how long a key is needed, ms. */
export interface KeyTimes {
  readonly delayMs: number;
  readonly refreshTtlMs: number;
  readonly graceMs: number;
}

export interface RetirementSettings {
  /** The key that is named to sign; undefined: none. */
  readonly activeKid: string | undefined;
  /** By the same clock as the keys' `readyMs`. */
  readonly nowMs: number;
  readonly times: KeyTimes;
}

/**
 * The time from which no token of a key is active, Unix ms. The key stops signing when a newer one is ready on the last
 * node, where the file may arrive as late as the delay allows. Its last refresh token lives REFRESH_TTL from then. The
 * retry of that refresh comes within the grace window, which an outage extends.
 * @returns undefined for a key that signs, or may sign later
 */
export function retirableMs<K extends ScheduledKey>(
  key: K,
  keys: NewestFirst<K>,
  { activeKid, nowMs, times }: RetirementSettings,
): number | undefined {
  const at = keys.indexOf(key);
  const next = keys[at - 1];
  // For a key newer than the named one it is not known whether and when it has signed.
  const named = keys.findIndex(({ kid }) => kid === activeKid);
  if (!next || key === signingKey(keys, activeKid, nowMs) || at <= named) return undefined;
  const { delayMs, refreshTtlMs, graceMs } = times;
  return next.sinceMs + 2 * delayMs + NOTICE_MS + refreshTtlMs + graceMs + MOST_PAUSE_MS;
}

/** How long the public keys may be cached, s: a verifier must fetch them again before a new key signs. */
export const keySetMaxAgeS = (delayMs: number): number => Math.floor(Math.min(delayMs / 2, MOST_CACHED_MS) / 1000);
