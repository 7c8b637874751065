// The three kinds of entries in the store and their text format, `1 <atMs> <kind> …`, version first.

import { StoreUnavailable } from '../errors.js';

/** Why a session was ended. `lost`: the store had lost the entry of a refreshed session. */
export type EndCause = 'logout' | 'reuse' | 'lost';

/** A refreshed session. Holds the times of its last pair, so that a retry gets the same pair under changed settings. */
export interface LiveEntry {
  readonly state: 'live';
  /** The time of the write, the store's time, Unix ms. */
  readonly atMs: number;
  /** The generation of the last pair; refresh tokens of lower generations are denied. */
  readonly generation: number;
  /** `iat` of that pair, Unix seconds. */
  readonly issuedAt: number;
  /** `exp` of its access token, Unix seconds. */
  readonly accessExpiresAt: number;
  /** `exp` of its refresh token, Unix seconds. */
  readonly refreshExpiresAt: number;
  /** The key that signed it. */
  readonly kid: string;
}

/** An ended session. */
export interface EndedEntry {
  readonly state: 'ended';
  readonly atMs: number;
  readonly cause: EndCause;
}

export type SessionEntry = LiveEntry | EndedEntry;

/** Denies every session of a subject that started at or before `atMs`, Unix ms. */
export interface NotBefore {
  readonly atMs: number;
}

/** Denies every session of a shard that started at or before `atMs`: the store cannot know whether it was ended. */
export interface Birth {
  readonly atMs: number;
  /** Replaces `atMs` for adopted sessions, Unix ms, if it was set. */
  readonly adoptedSinceMs: number | undefined;
  /**
   * How many entries of the shard all nodes have written since. A lower number than before means a store that lost
   * writes.
   */
  readonly writes: number;
  /**
   * Whether the last writer keeps the shard's log: it writes the count with a leading zero, which earlier versions
   * drop.
   */
  readonly isLogged: boolean;
}

export const liveValue = (e: Omit<LiveEntry, 'state' | 'atMs'>): string =>
  `live ${e.generation} ${e.issuedAt} ${e.accessExpiresAt} ${e.refreshExpiresAt} ${e.kid}`;
export const endedValue = (cause: EndCause): string => `ended ${cause}`;
export const notBeforeValue = 'not-before';
export const birthValue = (adoptedSinceMs: number | undefined, writes = 0): string =>
  `born ${adoptedSinceMs ?? '-'} ${writes}`;

const LIVE = /^1 (\d{1,15}) live (\d{1,10}) (\d{1,12}) (\d{1,12}) (\d{1,12}) ([!-~]{1,100})$/;
const LIVE_MARK = ' live ';
const ENDED = /^1 (\d{1,15}) ended (logout|reuse|lost)$/;
const NOT_BEFORE = /^1 (\d{1,15}) not-before$/;
// Records of the first versions have no count.
const BIRTH = /^1 (\d{1,15}) born (-|\d{1,15})(?: (\d{1,15}))?$/;

const STAMPED = /^1 (\d{1,15}) (.*)$/;

/** Splits an entry's text into its value and its stamp, Unix ms. */
export function draftOf(text: string): { readonly value: string; readonly atMs: number } {
  const [, atMs, value = ''] = STAMPED.exec(text) ?? unreadable('entry');
  return { value, atMs: Number(atMs) };
}

// An unreadable entry may be one that denies: treating it as absent could accept a revoked token.
const unreadable = (what: string): never => {
  throw new StoreUnavailable(`this version cannot read the ${what} in the store`);
};

export function parseSession(text: string | undefined): SessionEntry | undefined {
  if (text === undefined) return undefined;
  const live = LIVE.exec(text);
  if (live) {
    const [, atMs, generation, issuedAt, accessExpiresAt, refreshExpiresAt, kid = ''] = live;
    return {
      state: 'live',
      atMs: Number(atMs),
      generation: Number(generation),
      issuedAt: Number(issuedAt),
      accessExpiresAt: Number(accessExpiresAt),
      refreshExpiresAt: Number(refreshExpiresAt),
      kid,
    };
  }
  const ended = ENDED.exec(text) ?? unreadable('session entry');
  return { state: 'ended', atMs: Number(ended[1]), cause: ended[2] as EndCause };
}

/**
 * The generation in the text of a live entry; undefined for other readable texts. Parsing the whole text would cost
 * each refresh a microsecond.
 */
export function generationIn(text: string): number | undefined {
  const at = text.indexOf(LIVE_MARK);
  return at < 0 ? undefined : Number.parseInt(text.slice(at + LIVE_MARK.length), 10);
}

export function parseNotBefore(text: string | undefined): NotBefore | undefined {
  if (text === undefined) return undefined;
  return { atMs: Number((NOT_BEFORE.exec(text) ?? unreadable('not-before entry'))[1]) };
}

export function parseBirth(text: string | undefined): Birth | undefined {
  if (text === undefined) return undefined;
  const [, atMs, since, writes = '0'] = BIRTH.exec(text) ?? unreadable('birth record');
  return {
    atMs: Number(atMs),
    adoptedSinceMs: since === '-' ? undefined : Number(since),
    writes: Number(writes),
    isLogged: writes.length > 1 && writes.startsWith('0'),
  };
}
