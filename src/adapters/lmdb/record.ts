// Owns how entries lie in LMDB: their keys, and `<end> <text>`, where the end is Unix ms or `-` for ever.

import { hash } from 'node:crypto';
import { StoreUnavailable } from '../../core/errors.js';
import type { StoreKey } from '../../core/ports.js';

/** An entry with its end. */
export interface Stored {
  readonly text: string;
  /** Until when it is kept, Unix ms; undefined: for ever. */
  readonly endsAtMs: number | undefined;
}

/** Keys are short whatever the subject: LMDB bounds them. */
export function keyName(key: StoreKey): string {
  if (key.kind === 'session') return `s:${key.sessionId}`;
  // 128 bits of SHA-256, as on Redis.
  if (key.kind === 'not-before') return `u:${hash('sha256', key.subject, 'hex').slice(0, 32)}`;
  return `born:${key.shard}`;
}

/** A verified token is asked about with the same keys again and again. */
const remembered = new WeakMap<readonly StoreKey[], readonly string[]>();

/** The names of some keys, in their order. */
export function keyNames(keys: readonly StoreKey[]): readonly string[] {
  const known = remembered.get(keys);
  if (known) return known;
  const names = keys.map(keyName);
  remembered.set(keys, names);
  return names;
}

/** Whether a key is of an entry that can expire; the others are kept for ever, or not entries at all. */
export const canExpire = (name: string): boolean => name.startsWith('s:') || name.startsWith('u:');

const RECORD = /^(-|\d{1,16}) (.*)$/s;

export const encode = ({ text, endsAtMs }: Stored): string => `${endsAtMs ?? '-'} ${text}`;

/** @throws StoreUnavailable for what is no record: taken for absent, it might call a dead token valid */
export function decode(raw: string): Stored {
  const [, end, text] = RECORD.exec(raw) ?? [];
  if (text === undefined) throw new StoreUnavailable('the data folder holds an entry that cannot be read');
  return { text, endsAtMs: end === '-' ? undefined : Number(end) };
}

/** What stands at a key: nothing, if it has expired. */
export function liveRecord(raw: string | undefined, nowMs: number): Stored | undefined {
  if (raw === undefined) return undefined;
  const stored = decode(raw);
  return stored.endsAtMs !== undefined && stored.endsAtMs <= nowMs ? undefined : stored;
}

/** The end of an entry that replaces another: never sooner than the other's. */
export function laterEnd(old: Stored | undefined, endsAtMs: number | undefined): number | undefined {
  if (endsAtMs === undefined || (old && old.endsAtMs === undefined)) return undefined;
  return Math.max(endsAtMs, old?.endsAtMs ?? 0);
}

const COUNTED = /^(1 \d+ born \S+) ?(\d*)$/;

/** A birth record with its count raised; undefined for what is none. */
export function raised(birth: Stored | undefined): { readonly stored: Stored; readonly writes: number } | undefined {
  const [, head, count] = COUNTED.exec(birth?.text ?? '') ?? [];
  if (birth === undefined || head === undefined) return undefined;
  const writes = Number(count ?? 0) + 1;
  return { stored: { ...birth, text: `${head} ${writes}` }, writes };
}
