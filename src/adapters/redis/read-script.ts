// The script behind `read`: MGET, but one that tells a key of another type from an absent one.
//
// KEYS  the entries, at most a few thousand
//
// Answers one element a key: its text, nil for nothing, or the number 1 for a key that holds no text.
//
// MGET itself says nil for a list or a hash, as if nothing denied the token. EXISTS beside it shows that, but only at
// the same moment: as two commands, an entry written between them hides the bad key. A script also has no second reply
// to be parsed by this process, whose cycles are the scarce ones.

import { StoreUnavailable } from '../../core/errors.js';
import { makeScript } from './script.js';

function checkRead(answer: unknown, keyCount: number): void {
  if (Array.isArray(answer) && answer.length === keyCount && answer.every(isFound)) return;
  throw new StoreUnavailable('Redis answered a read with something else than its texts');
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
