// Lua scripts, run by EVALSHA, and by EVAL if the server has not cached the script.

import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface ScriptParts {
  readonly lua: string;
  /** Whether it reads or writes our entries; undefined: neither, it tests permissions. */
  readonly access?: 'read' | 'write';
  /** Checks the format of an answer before it is used. @throws StoreUnavailable */
  readonly check?: (answer: unknown, keyCount: number) => void;
}

export interface Script extends ScriptParts {
  readonly sha1: string;
}

export const makeScript = (parts: ScriptParts): Script => ({ ...parts, sha1: hash('sha1', parts.lua, 'hex') });

/** Sends ASKING, which applies to the next command. Its answer is ignored: the next command reports any error. */
function sendAsking(client: Redis): void {
  client.asking().catch(() => {});
}

/** Combines the writes of this event-loop turn into one system call, which costs more than a command. */
export function inOnePiece({ stream }: Redis): void {
  // Before the first connection there is no stream, and commands are refused.
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** The connections whose server or user has no EVALSHA_RO, as one attempt has shown. */
const withoutReadOnly = new WeakSet<Redis>();

/** Redis before version 7 has no EVALSHA_RO, and a user's permissions may date from that time. */
const hasNoReadOnly = (error: unknown): boolean =>
  error instanceof Error && /^(ERR unknown command|NOPERM)/.test(error.message);

const isForgotten = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args?: readonly string[];
  /** Whether ASKING must precede it: the keys' slot is moving to this node, which does not own it yet. */
  readonly asking?: boolean;
}

/**
 * Runs a script, and checks the format of its answer. After a restart, a failover or SCRIPT FLUSH the server does not
 * have the script any more: then its text is sent.
 * @throws StoreUnavailable; the server's own errors
 */
export async function evaluate(client: Redis, script: Script, call: ScriptCall): Promise<unknown> {
  let asText = false;
  // One function and one promise, because every call comes here. Each of the two reasons to send again occurs once.
  for (;;) {
    // As a read, so that it is answered while writes are paused.
    const asRead = script.access === 'read' && !withoutReadOnly.has(client);
    try {
      const answer = await send(client, script, call, { asRead, asText });
      script.check?.(answer, call.keys.length);
      return answer;
    } catch (error) {
      if (asRead && hasNoReadOnly(error)) withoutReadOnly.add(client);
      else if (!asText && isForgotten(error)) asText = true;
      else throw error;
    }
  }
}

interface Way {
  readonly asRead: boolean;
  /** Whether the script's text is sent, and not its hash. */
  readonly asText: boolean;
}

function send(client: Redis, { lua, sha1 }: Script, call: ScriptCall, { asRead, asText }: Way): Promise<unknown> {
  const { keys, args = [], asking = false } = call;
  inOnePiece(client);
  if (asking) sendAsking(client);
  // Spread, because the driver would flatten a list first, which is slow for many keys.
  if (asText && asRead) return client.eval_ro(lua, keys.length, ...keys, ...args);
  if (asText) return client.eval(lua, keys.length, ...keys, ...args);
  if (asRead) return client.evalsha_ro(sha1, keys.length, ...keys, ...args);
  return client.evalsha(sha1, keys.length, ...keys, ...args);
}
