// The script that tests which of our scripts' commands a user may run. Read-only.
//
// KEYS[1]  one of our keys
//
// Returns for GET, MGET, EXISTS, PTTL, TIME and SET the error of each, or an empty text. SET is sent with an option
// that does not exist: the server first checks whether it would accept a write of this user, and only then the options.
// So "syntax error" means that it would accept the write.

import { makeScript } from '../../adapters/redis/script.js';

/** The commands, in the order of the results. */
export const TRIED = ['GET', 'MGET', 'EXISTS', 'PTTL', 'TIME', 'SET'] as const;

export const RIGHTS = makeScript({
  lua: `
local function fault(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return answer.err end
  return ''
end
local set = fault('SET', KEYS[1], '', 'NOSUCHOPTION')
if string.find(set, 'syntax error') then set = '' end
return {
  fault('GET', KEYS[1]), fault('MGET', KEYS[1]), fault('EXISTS', KEYS[1]), fault('PTTL', KEYS[1]), fault('TIME'), set
}
`,
});
