// Owns how a Lua script is run: by its hash, and by its text where the server does not know it yet.

import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export const makeScript = (lua: string): Script => ({ lua, sha1: hash('sha1', lua, 'hex') });

/** Runs a script. A restart, a failover or SCRIPT FLUSH makes a server forget it: then it is sent once more, whole. */
export async function evaluate(
  client: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const rest = [...keys, ...args];
  try {
    return await client.evalsha(script.sha1, keys.length, rest);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(script.lua, keys.length, rest);
  }
}
