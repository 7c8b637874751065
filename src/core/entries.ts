// Owns the three kinds of entries in the store, and how each is written as text: `1 <atMs> <kind> …`, version first.

import { StoreUnavailable } from './errors.js';

/** Why a session was ended. `lost`: the store no longer knew a session that it must have known. */
export type EndCause = 'logout' | 'reuse' | 'lost';

/** A session that has been refreshed. Holds what was answered, so that a retry gets it again under changed settings. */
export interface LiveEntry {
  readonly state: 'live';
  /** When it was written, the store's time, Unix ms. */
  readonly atMs: number;
  /** The generation of the pair that was answered; refresh tokens of lower ones are denied. */
  readonly generation: number;
  /** `iat` of that pair, Unix seconds. */
  readonly issuedAt: number;
  /** `exp` of its access token, Unix seconds. */
  readonly accessExpiresAt: number;
  /** `exp` of its refresh token, Unix seconds. */
  readonly refreshExpiresAt: number;
  /** The key that it was signed with. */
  readonly kid: string;
}

/** A session that is over. */
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

/** Denies every session of a shard that started at or before it: the store cannot know whether it was ended. */
export interface Birth {
  readonly atMs: number;
  /** Adopted sessions are judged by this instead, Unix ms, where it was given. */
  readonly foreignSinceMs: number | undefined;
  /** How many entries of the shard were written since, by whomever: a store that says less than before is an older one. */
  readonly writes: number;
}

export const liveValue = (e: Omit<LiveEntry, 'state' | 'atMs'>): string =>
  `live ${e.generation} ${e.issuedAt} ${e.accessExpiresAt} ${e.refreshExpiresAt} ${e.kid}`;
export const endedValue = (cause: EndCause): string => `ended ${cause}`;
export const notBeforeValue = 'not-before';
export const birthValue = (foreignSinceMs: number | undefined, writes = 0): string =>
  `born ${foreignSinceMs ?? '-'} ${writes}`;

const LIVE = /^1 (\d{1,15}) live (\d{1,10}) (\d{1,12}) (\d{1,12}) (\d{1,12}) ([!-~]{1,100})$/;
const LIVE_MARK = ' live ';
const ENDED = /^1 (\d{1,15}) ended (logout|reuse|lost)$/;
const NOT_BEFORE = /^1 (\d{1,15}) not-before$/;
// The first records had no count.
const BIRTH = /^1 (\d{1,15}) born (-|\d{1,15})(?: (\d{1,15}))?$/;

const STAMPED = /^1 (\d{1,15}) (.*)$/;

/** An entry's text as it was written: its value, and its stamp, Unix ms. */
export function draftOf(text: string): { readonly value: string; readonly atMs: number } {
  const [, atMs, value = ''] = STAMPED.exec(text) ?? unreadable('entry');
  return { value, atMs: Number(atMs) };
}

// An entry that cannot be read may be one that denies: to take it for absent would call a dead token valid.
const unreadable = (what: string): never => {
  throw new StoreUnavailable(`the store holds a ${what} that this version cannot read`);
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
 * The generation of a live entry, undefined of another one; for a text that can be read. To parse all of it would cost
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
  const [, atMs, since, writes = 0] = BIRTH.exec(text) ?? unreadable('birth record');
  return { atMs: Number(atMs), foreignSinceMs: since === '-' ? undefined : Number(since), writes: Number(writes) };
}
