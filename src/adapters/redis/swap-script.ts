// The script behind `swap`: one atomic step that compares, stamps with the server's own time, and writes.
//
// KEYS[1]  the entry
// KEYS[2]  the birth record of its shard, whose count is raised; none for a birth record itself
// ARGV[1]  1: ARGV[2] must stand at the key; 0: nothing may stand there
// ARGV[2]  the expected text, compared to the letter
// ARGV[3]  until when the write may be made, the server's time, Unix ms
// ARGV[4]  the least stamp, Unix ms
// ARGV[5]  the value
// ARGV[6]  how long the entry is kept from now, ms, a whole number over 0; empty: for ever
// ARGV[7]  the most that the stamp may be, Unix ms; empty: no such bound
//
// Answers {1, text, count}: written, the text now standing, and the shard's count as text, if it has a record; {0, text
// or nil}: something else stands, and what; {2}: too late, nothing was written. A key of another type makes GET, and so
// the script, fail before anything is written.

import { StoreUnavailable } from '../../core/errors.js';
import { makeScript } from './script.js';

export const WON = 1;
export const LATE = 2;
const LOST = 0;

const COUNT = /^\d{1,15}$/;

function checkSwap(answer: unknown): void {
  const [outcome, text, count] = Array.isArray(answer) ? answer : [];
  if (outcome === LATE) return;
  // A lost swap may have found nothing. A count comes with a write alone, where the shard has a record.
  if (outcome === LOST && (typeof text === 'string' || text === null || text === undefined) && !count) return;
  if (outcome === WON && typeof text === 'string' && (count === undefined || COUNT.test(String(count)))) return;
  throw new StoreUnavailable('Redis answered a write with something else than its outcome');
}

const lua = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[3]) then return {2} end

local current = redis.call('GET', KEYS[1])
local expected = ARGV[1] == '1' and ARGV[2]
if current ~= expected then return {0, current} end

local born = KEYS[2] and redis.call('GET', KEYS[2])
local stamp = math.max(now, tonumber(ARGV[4]))
if ARGV[7] ~= '' then stamp = math.min(stamp, tonumber(ARGV[7])) end
local text = '1 ' .. string.format('%.0f', stamp) .. ' ' .. ARGV[5]

-- Never shortens: -1 is an entry that is kept for ever, -2 none at all.
local left = redis.call('PTTL', KEYS[1])
if ARGV[6] == '' or left == -1 then
  redis.call('SET', KEYS[1], text)
else
  redis.call('SET', KEYS[1], text, 'PX', string.format('%.0f', math.max(left, tonumber(ARGV[6]))))
end

local head, count = string.match(born or '', '^(1 %d+ born %S+) ?(%d*)$')
if not head then return {1, text} end
count = string.format('%.0f', (tonumber(count) or 0) + 1)
redis.call('SET', KEYS[2], head .. ' ' .. count)
return {1, text, count}
`;

export const SWAP = makeScript({ lua, access: 'write', check: checkSwap });
