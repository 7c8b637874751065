// The read script: MGET that distinguishes a key of another type from a missing one.
//
// KEYS  the entries, at most a few thousand
//
// Returns one element for each key: its text, nil for a missing key, or the number 1 for a key of another type.
//
// MGET itself returns nil for a list or a hash, as if no entry denied the token. EXISTS reveals such a key, but only
// atomically with MGET: an entry written between two commands would hide it. A script also saves this process, whose
// CPU is the bottleneck, the parsing of a second reply.

import { StoreUnavailable } from '../../core/errors.js';
import { makeScript } from './script.js';

function checkRead(answer: unknown, keyCount: number): void {
  if (Array.isArray(answer) && answer.length === keyCount && answer.every(isFound)) return;
  throw new StoreUnavailable('Redis answered a read in an unexpected format');
}

const isFound = (value: unknown): boolean => value === null || typeof value === 'string' || typeof value === 'number';

const lua = `
local values = redis.call('MGET', unpack(KEYS))
local absent = {}
for i = 1, #KEYS do
  if not values[i] then absent[#absent + 1] = KEYS[i] end
end
if #absent > 0 and redis.call('EXISTS', unpack(absent)) > 0 then
  for i = 1, #KEYS do
    if not values[i] and redis.call('EXISTS', KEYS[i]) == 1 then values[i] = 1 end
  end
end
return values
`;

export const READ = makeScript({ lua, access: 'read', check: checkRead });
