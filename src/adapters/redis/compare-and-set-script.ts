// The compare-and-set script: compares, stamps with the server's time, logs what ends, and writes, atomically.
//
// KEYS[1] the entry
// KEYS[2] the birth record of its shard, whose count is raised; absent if the entry is a birth record, or if the slot
//         is moving
// KEYS[3] the log of its shard; absent if ARGV[7] is, and if KEYS[2] is
// ARGV[1] `=` and the expected text; empty: the key must not exist
// ARGV[2] the deadline of the write, the server's time, Unix ms
// ARGV[3] the value
// ARGV[4] how long the entry is kept from now, ms, an integer over 0; empty: without expiry
// ARGV[5] the lower bound of the stamp, Unix ms; absent or empty: none
// ARGV[6] the upper bound of the stamp, Unix ms; absent or empty: none
// ARGV[7] what is appended to the log: `s<id>`, or `u<id>` to which the stamp is added; absent or empty: nothing
// ARGV[8] how long an entry of the log is needed, ms
// ARGV[9] the latest time that the caller knows, Unix ms
//
// The log is written first: if that fails, nothing is written. A count without the mark was written by a version that
// keeps no log, so the log begins anew, whatever is written. A refresh sends nothing about the log, which it rarely
// needs.
//
// Returns
// {1, text, count}   written: the new text, and the shard's count as text, if it has a record
// {0, text or nil}   the key holds another text, or none
// {2}                too late: nothing was written
// {3}                nothing was written, because the log must begin anew: send the log and its arguments, too
//
// If a key is of another type, GET and so the script fail before a write.

import { StoreUnavailable } from '../../core/errors.js';
import { APPEND } from './log-script.js';
import { makeScript } from './script.js';

export const APPLIED = 1;
export const LATE = 2;
/** The call must be repeated with the log and its arguments. */
export const LOG_NEEDED = 3;
const LOST = 0;

/** The arguments about the log, as bounds of a slice: what ended, how long it is needed, the latest known time. */
export const END_ARGS = [6, 9] as const;

const COUNT = /^\d{1,15}$/;

function checkAnswer(answer: unknown): void {
  const [outcome, text, count] = Array.isArray(answer) ? answer : [];
  if (outcome === LATE || outcome === LOG_NEEDED) return;
  // A write that was not applied may have found no text. Only a write returns a count, and only if the shard has a
  // record.
  if (outcome === LOST && (typeof text === 'string' || text === null || text === undefined) && !count) return;
  if (outcome === APPLIED && typeof text === 'string' && (count === undefined || COUNT.test(String(count)))) return;
  throw new StoreUnavailable('Redis answered a write in an unexpected format');
}

const lua = `${APPEND}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[2]) then return {2} end

local current = redis.call('GET', KEYS[1])
local expected = ARGV[1] ~= '' and string.sub(ARGV[1], 2)
if current ~= expected then return {0, current} end

local born = KEYS[2] and redis.call('GET', KEYS[2])
local head, count = string.match(born or '', '^(1 %d+ born %S+) ?(%d*)$')
local anew = head and unmarked(count)
if anew and not KEYS[3] then return {3} end

local stamp = math.max(now, tonumber(ARGV[5] or '') or 0)
stamp = math.min(stamp, tonumber(ARGV[6] or '') or stamp)
local stamped = string.format('%.0f', stamp)
local text = '1 ' .. stamped .. ' ' .. ARGV[3]

if KEYS[3] and (anew or ARGV[7] ~= '') then
  local entry = ARGV[7]
  if string.sub(entry, 1, 1) == 'u' then entry = entry .. ' ' .. stamped end
  append(KEYS[3], now, tonumber(ARGV[8]), tonumber(ARGV[9]), entry, anew)
end

-- Never shortens a lifetime. PTTL: -1 is an entry without expiry, -2 a missing one.
local left = redis.call('PTTL', KEYS[1])
if ARGV[4] == '' or left == -1 then
  redis.call('SET', KEYS[1], text)
else
  redis.call('SET', KEYS[1], text, 'PX', string.format('%.0f', math.max(left, tonumber(ARGV[4]))))
end

if not head then return {1, text} end
count = string.format('%.0f', (tonumber(count) or 0) + 1)
redis.call('SET', KEYS[2], head .. ' 0' .. count)
return {1, text, count}
`;

export const COMPARE_AND_SET = makeScript({ lua, access: 'write', check: checkAnswer });
