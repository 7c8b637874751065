// The cut-off of a subject: one entry that denies every session that has started by now.

import { type Context, writeDeadlineMs } from '../context.js';
import { retryOnConflict } from '../durability/retry-on-conflict.js';
import type { Policy } from '../policy.js';
import type { Call } from '../ports.js';
import { notBeforeValue } from '../session/entries.js';
import { SLACK_MS } from '../session/rules.js';
import { readSessionState, type SessionState } from '../session/session-state.js';
import { notBeforeKey, storeKeysFor } from '../session/store-keys.js';
import { ADOPTED_MAX_MS } from '../token/rules.js';
import { checkSubject } from './issue.js';

export interface SubjectEnd {
  readonly subject: string;
  /** The start of the calling session, which must end too even if it lies ahead of the clock, Unix ms; 0: none. */
  readonly startMs: number;
  /** The deadline of the write, the store's time, Unix ms. */
  readonly writeUntilMs: number;
}

/** Ends every session of a subject that has started by now. @throws StoreUnavailable */
export async function endSubject(
  context: Context,
  call: Call,
  { subject, startMs, writeUntilMs }: SubjectEnd,
): Promise<void> {
  const { store, policy, ledger, latestStart } = context;
  const storeKeys = storeKeysFor(store, subject, undefined);
  await retryOnConflict(async () => {
    const { snapshot, notBefore, notBeforeText, birth } = await readSessionState(context, storeKeys);
    // Never earlier than the old one, and not before any start that a login has received, even if the clock was set
    // back.
    const atLeastMs = Math.max(
      (notBefore?.atMs ?? 0) + 1,
      birth.atMs + 1,
      startMs,
      latestStart.latestMs(storeKeys.shard),
    );
    const lifetimeMs = Math.max(atLeastMs - store.now(storeKeys.shard), 0) + cutOffKeptMs(policy);
    const key = notBeforeKey(subject);
    const draft = { value: notBeforeValue, atLeastMs, lifetimeMs, notAfterMs: writeUntilMs };
    const swapped = await store.swap(key, notBeforeText, draft);
    if (!swapped.won) return undefined;
    call.audit({ event: 'subject_ended', subject });
    await ledger.acknowledge(snapshot, key, swapped, store.now(storeKeys.shard) + lifetimeMs);
    return true;
  });
}

/**
 * How long a cut-off is kept beyond its time: until no token of a session that it denies can be active. Our own tokens
 * end with today's SESSION_MAX; an adopted one may have a later `exp`, and SESSION_MAX may be raised.
 */
const cutOffKeptMs = ({ sessionMaxMs, adopts }: Policy): number =>
  Math.max(sessionMaxMs, adopts ? ADOPTED_MAX_MS : 0) + SLACK_MS;

/** Call before refusing a token because of a cut-off that was read from the store. @throws StoreUnavailable */
export async function confirmCutOff(context: Context, subject: string, state: SessionState): Promise<void> {
  const { notBefore, notBeforeText: current, snapshot } = state;
  const untilMs = (notBefore?.atMs ?? 0) + cutOffKeptMs(context.policy);
  await context.ledger.acknowledge(snapshot, notBeforeKey(subject), { current }, untilMs);
}

/**
 * Ends every session of a subject that has started by now, at the request of the login back end.
 * @throws InvalidInput, StoreUnavailable
 */
export async function revokeSubject(context: Context, call: Call, subject: string): Promise<void> {
  checkSubject(subject);
  const writeUntilMs = writeDeadlineMs(context, call, context.store.shardOf(subject));
  await endSubject(context, call, { subject, startMs: 0, writeUntilMs });
}
