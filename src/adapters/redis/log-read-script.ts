// The script that reads a log in a Redis Cluster, where one command cannot read two slots.
//
// KEYS[1]  the log
// KEYS[2]  the birth record of its shard; absent if the slot is moving
// ARGV[1]  the id after which to read; 0: from the start
// ARGV[2]  the most entries
//
// Returns the entries as XREAD does, 1 if the log exists, else 0, and the text of the birth record, or nil.

import { StoreUnavailable } from '../../core/errors.js';
import { makeScript } from './script.js';

export type RawEntry = readonly [id: string, fields: readonly string[]];
export type RawPage = readonly [entries: readonly RawEntry[], exists: number, birth?: string | null];

function checkPage(answer: unknown): void {
  const [entries, exists, birth] = Array.isArray(answer) ? answer : [];
  const isText = birth === undefined || birth === null || typeof birth === 'string';
  if (isRawEntries(entries) && typeof exists === 'number' && isText) return;
  throw new StoreUnavailable('Redis answered a read of the log in an unexpected format');
}

/** Whether an answer has the form of XREAD's entries. The texts are checked when they are parsed. */
export const isRawEntries = (answer: unknown): answer is readonly RawEntry[] =>
  Array.isArray(answer) && answer.every((each) => Array.isArray(each) && Array.isArray(each[1]));

export const READ_LOG = makeScript({
  lua: `
local found = redis.call('XREAD', 'COUNT', ARGV[2], 'STREAMS', KEYS[1], ARGV[1])
local exists = redis.call('EXISTS', KEYS[1])
return { found and found[1][2] or {}, exists, KEYS[2] and redis.call('GET', KEYS[2]) or false }
`,
  access: 'read',
  check: checkPage,
});
