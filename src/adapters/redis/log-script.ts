// The log of ends in Redis, a stream for each shard with ids by the server: the Lua that appends to it.
//
// An entry has two fields: `e`, what ended, and `t`, from when the log is whole, Unix ms. `t` never falls while the log
// exists. It rises when entries are removed, when the log begins anew, and when the server's clock was set back by more
// than the margin: what came before may be missing then.

import { MARGIN_MS } from '../../core/feed/limits.js';

/**
 * Defines `unmarked(count)`: whether the count of a birth record, as text, lacks the leading zero of the versions that
 * keep the log. And `append(key, now, window, latest, entry, anew)`. Times in Unix ms, `window` in ms. `latest` is the
 * latest time that the caller knows; `entry` is empty if the log only begins; `anew` begins it anew although it exists.
 */
export const APPEND = `
local function unmarked(count) return #count < 2 or string.byte(count) ~= 48 end
local function append(key, now, window, latest, entry, anew)
  local text = function(ms) return string.format('%.0f', ms) end
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  local lastMs = last and tonumber(string.match(last[1], '^%d+')) or 0
  local whole = last and last[2][3] == 't' and tonumber(last[2][4])
  local begins = anew or not whole
  if begins then whole = math.max(now, latest) end
  whole = math.max(whole, now - window)
  local highest = math.max(lastMs, latest)
  if highest > now + ${MARGIN_MS} then whole = math.max(whole, highest) end
  if begins then
    local ahead = not last and latest > now and redis.call('EXISTS', key) == 0
    redis.call('XADD', key, ahead and text(latest) .. '-0' or '*', 'e', 'b', 't', text(whole))
  end
  if entry == '' then return end
  redis.call('XADD', key, 'MINID', '~', text(math.max(0, now - window)), '*', 'e', entry, 't', text(whole))
end
`;
