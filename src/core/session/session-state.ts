// The state of a session in the store: the three entries that decide, read at one moment, and the rules that judge it.

import type { Token } from '../token/token.js';
import { type Birth, type NotBefore, parseNotBefore, parseSession, type SessionEntry } from './entries.js';

/** The entries that decide on a session, and the texts that a write compares. */
export interface SessionState {
  readonly shard: number;
  /** The server that was to answer, by what was known before the read; an acknowledgement needs it. */
  readonly incarnation: string | undefined;
  readonly session: SessionEntry | undefined;
  readonly sessionText: string | undefined;
  readonly notBefore: NotBefore | undefined;
  readonly notBeforeText: string | undefined;
  readonly birth: Birth;
}

/** The state of a session in what was read. @throws StoreUnavailable if a text cannot be read */
export const parseState = (
  { shard, incarnation }: Pick<SessionState, 'shard' | 'incarnation'>,
  birth: Birth,
  [, notBeforeText, sessionText]: readonly (string | undefined)[],
): SessionState => ({
  shard,
  incarnation,
  birth,
  notBefore: parseNotBefore(notBeforeText),
  notBeforeText,
  session: parseSession(sessionText),
  sessionText,
});

/** Why a token is not active, apart from its time. `superseded`: a refresh token of a lower generation. */
export type Denial = 'birth' | 'not-before' | 'ended' | 'lost' | 'superseded';

/** What denies sessions by their start. */
export interface StartBounds {
  readonly birth: Pick<Birth, 'atMs' | 'adoptedSinceMs'>;
  readonly notBefore: NotBefore | undefined;
}

/** Whether a session started too early: before the store's birth, or before the subject's cut-off. */
export function denialByStart(token: Token, { birth, notBefore }: StartBounds): 'birth' | 'not-before' | undefined {
  // An adopted session started before its first refresh here, and perhaps before the store was created.
  const bornMs = token.adoptedSession ? (birth.adoptedSinceMs ?? birth.atMs) : birth.atMs;
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
