// Owns how a Lua script is run: by its hash, and by its text where the server does not know it yet.

import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export const makeScript = (lua: string): Script => ({ lua, sha1: hash('sha1', lua, 'hex') });

/** For the next command alone. Its own answer says nothing that the next one does not. */
function ask(client: Redis): void {
  client.asking().catch(() => {});
}

/** Sends all that this turn of the event loop writes in one piece: a system call costs more than a command. */
function inOnePiece({ stream }: Redis): void {
  // There is none before the first connection, and what is written then is refused.
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/**
 * Runs a script. A restart, a failover or SCRIPT FLUSH makes a server forget it: then it is sent once more, whole.
 * @param asking whether the node does not have the keys' slot yet, which is on its way to it
 */
export async function evaluate(
  client: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  asking = false,
): Promise<unknown> {
  inOnePiece(client);
  try {
    if (asking) ask(client);
    // One by one: the driver would flatten a list first, which costs a read of many keys dearly.
    return await client.evalsha(script.sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    if (asking) ask(client);
    return client.eval(script.lua, keys.length, ...keys, ...args);
  }
}
