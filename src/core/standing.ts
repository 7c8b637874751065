// Owns what the store says of a token: the three entries that decide, read at one moment, and the judgement on them.

import { attempt } from './attempt.js';
import type { Context } from './context.js';
import { type Birth, type NotBefore, parseNotBefore, parseSession, type SessionEntry } from './entries.js';
import type { Known } from './ledger.js';
import type { Place } from './place.js';
import type { Token } from './token.js';

/** The entries that decide on a session, and the texts that a swap must expect. */
export interface Standing {
  readonly session: SessionEntry | undefined;
  readonly sessionText: string | undefined;
  readonly notBefore: NotBefore | undefined;
  readonly notBeforeText: string | undefined;
  readonly birth: Birth;
  /** What was known before the read; an acknowledgement that rests on it needs it. */
  readonly known: Known;
}

/** Reads what decides at a place: on a session, or on a subject alone. @throws StoreUnavailable */
export const readStanding = (context: Context, place: Place): Promise<Standing> =>
  attempt(() => readOnce(context, place));

/** @returns undefined if what was read is worth nothing: the store had to be brought forward */
async function readOnce(context: Context, place: Place): Promise<Standing | undefined> {
  const { store, births, ledger } = context;
  const { shard, keys, entries } = place;
  const known = ledger.known(shard);
  const [birthText, notBeforeText, sessionText] = await store.read(keys);
  const birth = births.read(shard, birthText);
  if (!birth) {
    await births.write(shard);
    return undefined;
  }
  if (ledger.isBehind(known, birth)) {
    await ledger.standUp(shard);
    return undefined;
  }
  if (ledger.owes && (await ledger.payBack(entries))) return undefined;
  return {
    known: { ...known, birth },
    birth,
    notBefore: parseNotBefore(notBeforeText),
    notBeforeText,
    session: parseSession(sessionText),
    sessionText,
  };
}

/** Why a token does not stand, whatever the time. `superseded`: a refresh token of a lower generation. */
export type Denial = 'birth' | 'not-before' | 'ended' | 'lost' | 'superseded';

/** Whether all sessions that started then are over: the store cannot vouch for them, or the subject was cut off. */
export function cutOff(token: Token, { birth, notBefore }: Standing): 'birth' | 'not-before' | undefined {
  // A session from elsewhere began before its first refresh here, and may have begun before the store did.
  const bornMs = token.fromElsewhere ? (birth.foreignSinceMs ?? birth.atMs) : birth.atMs;
  if (token.startMs <= bornMs) return 'birth';
  return notBefore && token.startMs <= notBefore.atMs ? 'not-before' : undefined;
}

/** Why the session's own entry denies a token. */
export function denialBySession(token: Token, { session }: Standing): Denial | undefined {
  // Absence is innocence for the first generation alone: a later one was written when it was made.
  if (!session) return token.generation > 0 ? 'lost' : undefined;
  if (session.state === 'ended') return 'ended';
  return token.kind === 'refresh' && token.generation < session.generation ? 'superseded' : undefined;
}

/** The judgement on a token; undefined: it stands, as far as the store can say. */
export const denial = (token: Token, standing: Standing): Denial | undefined =>
  cutOff(token, standing) ?? denialBySession(token, standing);

/** The cause of a denial, for the log and the caller's programs. */
export const whyDenied = (denied: Denial, { session }: Standing): string =>
  denied === 'ended' && session?.state === 'ended' ? session.cause : denied;

/** Whether the token is ahead of the store, which must have lost writes: the token is authentic. */
export const isAhead = (token: Token, { session }: Standing): boolean =>
  session?.state === 'live' && token.generation > session.generation;
