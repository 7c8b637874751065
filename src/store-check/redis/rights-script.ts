// The script that tests which of our scripts' commands a user may run. Read-only.
//
// KEYS[1]  a birth record
// KEYS[2]  the log of its shard
//
// Returns for GET, MGET, EXISTS, PTTL, TIME, SET, XADD, XREVRANGE and XREAD the error of each, or an empty text. SET
// and XADD are sent with a wrong option: the server first checks whether it would accept a write of this user, and only
// then the options. So "syntax error" and "not an integer" mean that it would accept the write.

import { makeScript } from '../../adapters/redis/script.js';

/** The commands, in the order of the results. */
export const TRIED = ['GET', 'MGET', 'EXISTS', 'PTTL', 'TIME', 'SET', 'XADD', 'XREVRANGE', 'XREAD'] as const;

export const RIGHTS = makeScript({
  lua: `
local function fault(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return answer.err end
  return ''
end
local set = fault('SET', KEYS[1], '', 'NOSUCHOPTION')
if string.find(set, 'syntax error') then set = '' end
local xadd = fault('XADD', KEYS[2], 'MAXLEN', 'none', '*', 'e', 'b')
if string.find(xadd, 'not an integer') then xadd = '' end
return {
  fault('GET', KEYS[1]), fault('MGET', KEYS[1]), fault('EXISTS', KEYS[1]), fault('PTTL', KEYS[1]), fault('TIME'), set,
  xadd, fault('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1), fault('XREAD', 'COUNT', 1, 'STREAMS', KEYS[2], '0')
}
`,
});
