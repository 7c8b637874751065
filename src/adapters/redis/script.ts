// The running of Lua scripts: by hash, and by text where the server does not know the script yet.

import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface ScriptParts {
  readonly lua: string;
  /** What it does to our entries; undefined: neither, it asks about rights. */
  readonly access?: 'read' | 'write';
  /** Checks the form of an answer before it is used. @throws StoreUnavailable */
  readonly check?: (answer: unknown, keyCount: number) => void;
}

export interface Script extends ScriptParts {
  readonly sha1: string;
}

export const makeScript = (parts: ScriptParts): Script => ({ ...parts, sha1: hash('sha1', parts.lua, 'hex') });

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

/** The connections whose server, or user, has no EVALSHA_RO: they were asked once. */
const withoutReadOnly = new WeakSet<Redis>();

/** Redis before version 7 has no such command, and the user may have rights from that time. */
const hasNoReadOnly = (error: unknown): boolean =>
  error instanceof Error && /^(ERR unknown command|NOPERM)/.test(error.message);

const isForgotten = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/**
 * Runs a script, and checks the form of its answer. A restart, a failover or SCRIPT FLUSH makes a server forget it: then it
 * is sent once more, whole.
 * @param asking whether the node does not own the keys' slot yet, which is moving to it
 * @throws StoreUnavailable; the server's own errors
 */
export async function evaluate(
  client: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  asking = false,
): Promise<unknown> {
  const answer = await send(client, script, keys, args, asking);
  script.check?.(answer, keys.length);
  return answer;
}

async function send(
  client: Redis,
  { lua, sha1, access }: Script,
  keys: readonly string[],
  args: readonly string[],
  asking: boolean,
): Promise<unknown> {
  inOnePiece(client);
  if (access === 'read' && !withoutReadOnly.has(client)) {
    try {
      // Known to Redis for a read, so that it is answered while writes are paused.
      return await sendOrLoad(
        client,
        asking,
        () => client.evalsha_ro(sha1, keys.length, ...keys, ...args),
        () => client.eval_ro(lua, keys.length, ...keys, ...args),
      );
    } catch (error) {
      if (!hasNoReadOnly(error)) throw error;
      withoutReadOnly.add(client);
    }
  }
  return sendOrLoad(
    client,
    asking,
    // One by one: the driver would flatten a list first, which costs a read of many keys dearly.
    () => client.evalsha(sha1, keys.length, ...keys, ...args),
    () => client.eval(lua, keys.length, ...keys, ...args),
  );
}

/** @param byHash sends the script's hash @param byText sends its text */
async function sendOrLoad(
  client: Redis,
  asking: boolean,
  byHash: () => Promise<unknown>,
  byText: () => Promise<unknown>,
): Promise<unknown> {
  try {
    if (asking) ask(client);
    return await byHash();
  } catch (error) {
    if (!isForgotten(error)) throw error;
    if (asking) ask(client);
    return byText();
  }
}
