// Owns the script that finds out which of our scripts' commands a user may run, without writing anything.
//
// KEYS[1]  a key of ours
//
// Answers for GET, MGET, EXISTS, PTTL, TIME and SET the error that each meets, or an empty text. The SET has an option
// that does not exist: the server first looks whether it would take a write of this user now, and only then at options.
// So "syntax error" means that it would.

import { makeScript } from '../script.js';

/** The commands, in the order of the answers. */
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
