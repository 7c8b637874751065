// The format of entries in LMDB: their keys, and `<end> <text>`, where the end is Unix ms or `-` for no end.

import { hash } from 'node:crypto';
import { StoreUnavailable } from '../../core/errors.js';
import { endText } from '../../core/feed/log-entry.js';
import type { EntryKey, StoreKey } from '../../core/session/store-keys.js';

/** An entry with its end. */
export interface Stored {
  readonly text: string;
  /** When it expires, Unix ms; undefined: never. */
  readonly endsAtMs: number | undefined;
}

/** Short for every subject, because LMDB limits the length of keys. */
export function keyName(key: StoreKey): string {
  if (key.kind === 'session') return `s:${key.sessionId}`;
  // 128 bits of SHA-256, as on Redis.
  if (key.kind === 'not-before') return `u:${hashOf(key.subject)}`;
  return `born:${key.shard}`;
}

const hashOf = (subject: string): string => hash('sha256', subject, 'hex').slice(0, 32);

/** The text of an end in the log, without the time of a cut-off. */
export const endTextOf = (key: EntryKey): string =>
  endText(key.kind, key.kind === 'session' ? key.sessionId.replaceAll('-', '') : hashOf(key.subject));

/** A cached token is read with the same list of keys again and again. */
const cachedNames = new WeakMap<readonly StoreKey[], readonly string[]>();

/** The names of some keys, in their order. */
export function keyNames(keys: readonly StoreKey[]): readonly string[] {
  const cached = cachedNames.get(keys);
  if (cached) return cached;
  const names = keys.map(keyName);
  cachedNames.set(keys, names);
  return names;
}

/** Whether the entry at a key can expire. Other keys never expire, or are not entries. */
export const canExpire = (name: string): boolean => name.startsWith('s:') || name.startsWith('u:');

const RECORD = /^(-|\d{1,16}) (.*)$/s;

export const encode = ({ text, endsAtMs }: Stored): string => `${endsAtMs ?? '-'} ${text}`;

/** @throws StoreUnavailable for an invalid record: if it counted as absent, a revoked token could become valid */
export function decode(raw: string): Stored {
  const [, end, text] = RECORD.exec(raw) ?? [];
  if (text === undefined) throw new StoreUnavailable('the data folder contains an entry that cannot be read');
  return { text, endsAtMs: end === '-' ? undefined : Number(end) };
}

/** The record at a key; undefined if there is none or it has expired. */
export function liveRecord(raw: string | undefined, nowMs: number): Stored | undefined {
  if (raw === undefined) return undefined;
  const stored = decode(raw);
  return stored.endsAtMs !== undefined && stored.endsAtMs <= nowMs ? undefined : stored;
}

/** The end of an entry that replaces another: never earlier than the end of that one. */
export function laterEnd(old: Stored | undefined, endsAtMs: number | undefined): number | undefined {
  if (endsAtMs === undefined || (old && old.endsAtMs === undefined)) return undefined;
  return Math.max(endsAtMs, old?.endsAtMs ?? 0);
}

const COUNTED = /^(1 \d+ born \S+) ?(\d*)$/;

/** The parts of a birth record. */
export interface CountedBirth {
  readonly birth: Stored;
  readonly head: string;
  readonly writes: number;
  /** Whether its count begins with a zero, the mark of a version that keeps the log. */
  readonly isMarked: boolean;
}

/** The parts of a birth record; undefined if it is none. */
export function counted(birth: Stored | undefined): CountedBirth | undefined {
  const [, head, count = ''] = COUNTED.exec(birth?.text ?? '') ?? [];
  if (birth === undefined || head === undefined) return undefined;
  return { birth, head, writes: Number(count), isMarked: count.length > 1 && count.startsWith('0') };
}

/** A birth record with another count, marked. */
export const withCount = ({ birth, head }: CountedBirth, writes: number): Stored => ({
  ...birth,
  text: `${head} 0${writes}`,
});
