// The state of a session in the store: the three entries that decide, read atomically, and the rule that reads them.

import type { Context } from '../context.js';
import type { ShardSnapshot } from '../durability/ledger.js';
import { MAX_ATTEMPTS } from '../durability/limits.js';
import { tooManyConflicts } from '../durability/retry-on-conflict.js';
import type { Token } from '../token/token.js';
import { type Birth, type NotBefore, parseNotBefore, parseSession, type SessionEntry } from './entries.js';
import type { StoreKeys } from './store-keys.js';

/** The entries that decide on a session, and the texts that a swap compares. */
export interface SessionState {
  readonly session: SessionEntry | undefined;
  readonly sessionText: string | undefined;
  readonly notBefore: NotBefore | undefined;
  readonly notBeforeText: string | undefined;
  readonly birth: Birth;
  /** The shard's state before the read; an acknowledgement needs it. */
  readonly snapshot: ShardSnapshot;
}

/** Reads the entries that decide on a session, or on a subject alone. @throws StoreUnavailable */
export const readSessionState = (context: Context, storeKeys: StoreKeys): Promise<SessionState> =>
  withSessionState(context, storeKeys, (state) => state);

/**
 * Reads the entries as `readSessionState` does, and decides on them. Each token of a batch is decided so: every further
 * promise would cost it as much as the decision.
 * @throws StoreUnavailable; what `decide` throws
 */
export function withSessionState<Result>(
  context: Context,
  storeKeys: StoreKeys,
  decide: (state: SessionState) => Result | Promise<Result>,
  attempts = MAX_ATTEMPTS,
): Promise<Result> {
  const { store, births, ledger } = context;
  const { shard, keys, entries } = storeKeys;
  const snapshot = ledger.snapshot(shard);
  /** Entries were missing and have been written, so the texts of the first read are out of date. */
  const readAgain = (): Promise<Result> => {
    if (attempts <= 1) throw tooManyConflicts();
    return withSessionState(context, storeKeys, decide, attempts - 1);
  };
  return store.read(keys).then((texts) => {
    const birth = births.read(shard, texts[0]);
    if (!birth) return births.write(shard).then(readAgain);
    if (ledger.isBehind(snapshot, birth)) return ledger.reconcile(shard).then(readAgain);
    if (!ledger.hasUnrestored) return decide(stateOf(snapshot, birth, texts));
    return ledger
      .retryRestore(entries)
      .then((isRestored) => (isRestored ? readAgain() : decide(stateOf(snapshot, birth, texts))));
  });
}

/** @throws StoreUnavailable if a text cannot be read */
function stateOf(
  snapshot: ShardSnapshot,
  birth: Birth,
  [, notBeforeText, sessionText]: readonly (string | undefined)[],
): SessionState {
  return {
    snapshot: { ...snapshot, birth },
    birth,
    notBefore: parseNotBefore(notBeforeText),
    notBeforeText,
    session: parseSession(sessionText),
    sessionText,
  };
}

/** Why a token is not active, apart from its time. `superseded`: a refresh token of a lower generation. */
export type Denial = 'birth' | 'not-before' | 'ended' | 'lost' | 'superseded';

/** Whether a session started too early: before the store's birth, or before the subject's cut-off. */
export function denialByStart(token: Token, { birth, notBefore }: SessionState): 'birth' | 'not-before' | undefined {
  // An adopted session started before its first refresh here, and perhaps before the store was created.
  const bornMs = token.fromElsewhere ? (birth.foreignSinceMs ?? birth.atMs) : birth.atMs;
  if (token.startMs <= bornMs) return 'birth';
  return notBefore && token.startMs <= notBefore.atMs ? 'not-before' : undefined;
}

/** Why the session's entry denies a token; undefined: it does not. */
export function denialBySession(token: Token, { session }: SessionState): Denial | undefined {
  // Only a session of generation 0 is active without an entry: a later generation was written when it was created.
  if (!session) return token.generation > 0 ? 'lost' : undefined;
  if (session.state === 'ended') return 'ended';
  return token.kind === 'refresh' && token.generation < session.generation ? 'superseded' : undefined;
}

/** Why the store denies a token; undefined: the token is active, apart from its time. */
export const denial = (token: Token, state: SessionState): Denial | undefined =>
  denialByStart(token, state) ?? denialBySession(token, state);

/** The cause of a denial, for the log and for the caller's programs. */
export const whyDenied = (denied: Denial, { session }: SessionState): string =>
  denied === 'ended' && session?.state === 'ended' ? session.cause : denied;

/** Whether an authentic token is ahead of the store, which must then have lost writes. */
export const isAhead = (token: Token, { session }: SessionState): boolean =>
  session?.state === 'live' && token.generation > session.generation;
