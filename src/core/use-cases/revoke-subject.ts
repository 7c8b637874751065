// The cut-off of a subject: one entry that denies every session that has started by now.

import { type Context, writeDeadlineMs } from '../context.js';
import { retryOnConflict } from '../durability/retry-on-conflict.js';
import type { Call } from '../ports.js';
import { notBeforeValue } from '../session/entries.js';
import { cutOffKeptMs } from '../session/retention.js';
import { notBeforeKey, storeKeysFor } from '../session/store-keys.js';
import { checkSubject } from './issue.js';

export interface SubjectEnd {
  readonly subject: string;
  /** The start of the calling session, which must end too even if it lies ahead of the clock, Unix ms; 0: none. */
  readonly startMs: number;
  /** The latest `iat` of a presented token, Unix ms; 0: there is no token. */
  readonly presentedMs: number;
  /** The deadline of the write, the store's time, Unix ms. */
  readonly writeUntilMs: number;
}

/** Ends every session of a subject that has started by now. @throws StoreUnavailable */
export async function revokeAllSessions(
  { store, policy, latestStart }: Context,
  call: Call,
  { subject, startMs, presentedMs, writeUntilMs }: SubjectEnd,
): Promise<void> {
  const storeKeys = storeKeysFor(store, subject, undefined);
  await retryOnConflict(async () => {
    const state = await store.read(storeKeys);
    const { notBefore, birth, shard } = state;
    // Never earlier than the old one, and not before any start that a login has received, even if the clock was set
    // back.
    const atLeastMs = Math.max((notBefore?.atMs ?? 0) + 1, birth.atMs + 1, startMs, latestStart.latestMs(shard));
    const applied = await store.commit(state, {
      key: notBeforeKey(subject),
      value: notBeforeValue,
      atLeastMs,
      keptUntilMs: Math.max(atLeastMs, store.now(shard)) + cutOffKeptMs(policy),
      writeUntilMs,
      revocation: { kind: 'not-before', subject },
      presentedMs,
      onWritten: () => call.audit({ event: 'subject_ended', subject }),
    });
    return applied || undefined;
  });
}

/**
 * Ends every session of a subject that has started by now, at the request of the login back end.
 * @throws InvalidInput, StoreUnavailable
 */
export async function revokeSubject(context: Context, call: Call, subject: string): Promise<void> {
  checkSubject(subject);
  const writeUntilMs = writeDeadlineMs(context, call, context.store.shardOf(subject));
  await revokeAllSessions(context, call, { subject, startMs: 0, presentedMs: 0, writeUntilMs });
}
