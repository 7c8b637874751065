// The key names in Redis: `lk:1:{<tag>}:s:<session>`, `:u:<subject's hash>`, `:born` and `:log`.
//
// The subject's hash selects one of 64 tags, so that all keys of a subject are in one slot of a Redis Cluster and are
// read together. None of this may ever change for a data set: entries under other names would not be found.

import { hash } from 'node:crypto';
import { endText } from '../../core/feed/log-entry.js';
import type { EntryKey, StoreKey } from '../../core/session/store-keys.js';

/** Tag i has the slot 256 i + 127. The slots are evenly spaced, so that each node of a cluster owns its share. */
const TAGS = (
  '41y k1g 5gp bnv 459 66o 5c0 bj6 84l g4r 9be nkc 094 g02 dem 3lk 4ds cmu 52z j2d ajc 6ce 5r2 75l 8af gax 97o f7q ' +
  'efn 2oh d0g 39a 6w7 40i 7e6 yg8 6sw azq 7av hah g5b 0xl njs 1jm v32 8u4 nn3 9g5 6f5 4ec 7t4 53j 6bu aks 7pt h4b ' +
  '2j8 0in 3x9 9rw 2nx 8d6 38q 9v7'
).split(' ');

/** The number of shards. */
export const SHARDS = TAGS.length;

/** The slot of a shard's keys in a Redis Cluster. */
export const slotOf = (shard: number): number => 256 * shard + 127;

/** The start of the names of a shard's keys. */
const PREFIXES = TAGS.map((tag) => `lk:1:{${tag}}`);
const BIRTHS = PREFIXES.map((prefix) => `${prefix}:born`);
const LOGS = PREFIXES.map((prefix) => `${prefix}:log`);

/** Where the keys of a subject are. */
interface Home {
  /** 128 bits of SHA-256, in the form that `sha256sum` prints, so that an operator can find a key. */
  readonly digest: string;
  readonly shard: number;
}

function homeOf(subject: string): Home {
  const known = homes.get(subject);
  if (known !== undefined) return known;
  if (homes.size >= MOST_HOMES) homes.clear();
  const digest = hash('sha256', subject, 'hex').slice(0, 32);
  const home = { digest, shard: Number.parseInt(digest.slice(0, 2), 16) % SHARDS };
  homes.set(subject, home);
  return home;
}

/** A cache: each call needs its subject's several times. */
const homes = new Map<string, Home>();
const MOST_HOMES = 1_000;

/** The shard of a subject, 0 to SHARDS - 1. */
export const shardOf = (subject: string): number => homeOf(subject).shard;

/** A cache: a cached token is validated with the same list of keys again and again. */
const remembered = new WeakMap<readonly StoreKey[], readonly string[]>();

/** The names of some keys, in their order, cached as long as the list itself exists. */
export function keyNames(keys: readonly StoreKey[]): readonly string[] {
  const known = remembered.get(keys);
  if (known) return known;
  const names = keys.map((key) => (key.kind === 'birth' ? birthName(key.shard) : entryName(key)));
  remembered.set(keys, names);
  return names;
}

/** The name of the key of a session or a subject. */
export function entryName(key: EntryKey): string {
  const { digest, shard } = homeOf(key.subject);
  return key.kind === 'session' ? `${PREFIXES[shard]}:s:${key.sessionId}` : `${PREFIXES[shard]}:u:${digest}`;
}

/** The name of a shard's birth record. */
export const birthName = (shard: number): string => BIRTHS[shard] ?? '';

/** The name of a shard's log. */
export const logName = (shard: number): string => LOGS[shard] ?? '';

/** The text of an end in the log, without the time of a cut-off. */
export const endTextOf = (key: EntryKey): string =>
  endText(key.kind, key.kind === 'session' ? key.sessionId.replaceAll('-', '') : homeOf(key.subject).digest);
