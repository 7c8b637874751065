// The script that appends to a log by itself: a doubt while a slot is moving, or the beginning of a log.
//
// KEYS[1]  the log
// KEYS[2]  the birth record of its shard; absent: it is not read
// ARGV[1]  how long an entry is needed, ms
// ARGV[2]  the latest time that the caller knows, Unix ms
// ARGV[3]  the entry; empty: the log begins if it is missing, or if the count in the birth record is not marked
//
// Returns nothing. A log that begins anew raises its `t` before the count is marked.

import { APPEND } from './log-script.js';
import { makeScript } from './script.js';

export const APPEND_ALONE = makeScript({
  lua: `${APPEND}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local born = KEYS[2] and redis.call('GET', KEYS[2])
local head, count = string.match(born or '', '^(1 %d+ born %S+) ?(%d*)$')
local anew = head and unmarked(count)
if ARGV[3] == '' and not anew and #redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1) > 0 then return end
append(KEYS[1], now, tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], anew)
if anew then redis.call('SET', KEYS[2], head .. ' 0' .. string.format('%.0f', tonumber(count) or 0)) end
`,
  access: 'write',
});
