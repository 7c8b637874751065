// Logout: which sessions the tokens of a request end, and when nothing is left to end.

import { type Context, writeDeadlineMs } from '../context.js';
import { retryOnConflict } from '../durability/retry-on-conflict.js';
import { InvalidInput } from '../errors.js';
import type { Policy } from '../policy.js';
import type { Call } from '../ports.js';
import { deadFromMs } from '../session/retention.js';
import { type Denial, denialBySession, denialByStart, type SessionState, whyDenied } from '../session/session-state.js';
import { type StoreKeys, storeKeysFor } from '../session/store-keys.js';
import { refusal, TokenRefused } from '../token/errors.js';
import { namesSession, presentedMs, type Token, timing } from '../token/token.js';
import { authenticate } from './authenticate.js';
import { confirmDenial } from './confirm-denial.js';
import { endSession } from './end-session.js';
import { revokeAllSessions } from './revoke-subject.js';

export interface LogoutRequest {
  /** Empty: none. */
  readonly accessToken: string;
  /** Empty: none. */
  readonly refreshToken: string;
  readonly allSessions: boolean;
}

/**
 * Ends the sessions of the tokens, or all sessions of their subject. For the former an authentic token that is expired
 * or superseded is enough: it only ends, it never grants.
 * @throws TokenRefused, InvalidInput, StoreUnavailable
 */
export async function logout(context: Context, call: Call, request: LogoutRequest): Promise<void> {
  const tokens = await authenticTokens(context, call, request);
  if (request.allSessions) return logoutEverywhere(context, call, tokens);
  const ours = tokens.filter(namesSession);
  if (ours.length === 0) {
    throw new InvalidInput({
      field: 'refresh_token',
      reason: 'REQUIRED',
      description: 'the access token of another issuer names no session here: send its refresh token',
    });
  }
  // If both tokens belong to one session, the refresh token, which is first, counts: the entry that denies it lives
  // longer.
  const sessions = new Map(ours.toReversed().map((token) => [token.sessionId, token]));
  const ends = [...sessions.values()].map((token) => {
    const storeKeys = storeKeysFor(context.store, token.subject, token.sessionId);
    return { token, storeKeys, writeUntilMs: writeDeadlineMs(context, call, storeKeys.shard) };
  });
  for (const end of ends) await endOne(context, call, end);
}

/** The authentic tokens, the refresh token first. With an authentic refresh token a bad access token is ignored. */
async function authenticTokens(
  context: Context,
  call: Call,
  { accessToken, refreshToken }: LogoutRequest,
): Promise<Token[]> {
  if (accessToken === '') return [await authenticate(context, call, 'refresh', refreshToken)];
  if (refreshToken === '') return [await authenticate(context, call, 'access', accessToken)];
  const tokens = [await authenticate(context, call, 'refresh', refreshToken)];
  try {
    tokens.push(await authenticate(context, call, 'access', accessToken));
  } catch (error) {
    if (!(error instanceof TokenRefused || error instanceof InvalidInput)) throw error;
  }
  return tokens;
}

interface LogoutEnd {
  readonly token: Token;
  readonly storeKeys: StoreKeys;
  readonly writeUntilMs: number;
}

async function endOne(context: Context, call: Call, { token, storeKeys, writeUntilMs }: LogoutEnd): Promise<void> {
  await retryOnConflict(async () => {
    const state = await context.store.read(storeKeys);
    if (isOver(token, state, context.store.now(storeKeys.shard), context.policy)) {
      const denied = state.session?.state === 'ended' ? 'ended' : denialByStart(token, state);
      // Another call's write may not be on enough replicas yet, and is not in our ledger.
      if (denied === 'ended' || denied === 'not-before') await confirmDenial(context, token, state, denied);
      else await context.store.waitForReplicas(state);
      return true;
    }
    return (await endSession(context, call, { token, state, cause: 'logout', writeUntilMs })) || undefined;
  });
}

/** Whether no token of the session can be active again, whatever the future settings; then nothing is written. */
const isOver = (token: Token, state: SessionState, nowMs: number, policy: Policy): boolean =>
  state.session?.state === 'ended' ||
  denialByStart(token, state) !== undefined ||
  nowMs >= deadFromMs(token, state, policy);

/** Needs an active token, or one that only an earlier cut-off denies: that is a retry, and already done. */
async function logoutEverywhere(context: Context, call: Call, tokens: Token[]): Promise<void> {
  const [{ subject }] = tokens as [Token];
  if (tokens.some((token) => token.subject !== subject)) {
    const description = 'the two tokens have different subjects: send tokens of one subject';
    throw new InvalidInput({ field: 'all_sessions', reason: 'CONFLICT', description });
  }
  const { store, policy } = context;
  const shard = store.shardOf(subject);
  const writeUntilMs = writeDeadlineMs(context, call, shard);
  const verdicts = await Promise.all(
    tokens.map(async (token) => {
      const state = await store.read(storeKeysFor(store, subject, token.sessionId));
      const verdict = mayEndAll(token, state, store.now(shard), policy);
      await confirmDenial(context, token, state, verdict.denied);
      return verdict;
    }),
  );
  const entitled = tokens.filter((_, index) => verdicts[index]?.may);
  if (entitled.length > 0) {
    const startMs = Math.max(...entitled.map((token) => token.startMs));
    const presented = Math.max(...entitled.map(presentedMs));
    return revokeAllSessions(context, call, { subject, startMs, presentedMs: presented, writeUntilMs });
  }
  const [first] = verdicts;
  if (first?.refused && verdicts.every(({ refused }) => refused)) throw first.refused;
}

/** Whether a token may end all sessions of its subject. Neither `may` nor `refused`: they are ended already. */
interface EndAllVerdict {
  readonly may?: true;
  readonly refused?: TokenRefused;
  /** The denial that the answer rests on. */
  readonly denied?: Denial;
}

/** The rule for ending all sessions. Pure. */
function mayEndAll(token: Token, state: SessionState, nowMs: number, policy: Policy): EndAllVerdict {
  const time = timing(token, policy, nowMs);
  if (time) return { refused: refusal(time) };
  const cut = denialByStart(token, state);
  if (cut === 'birth') return { refused: refusal('REVOKED', cut) };
  const bySession = denialBySession(token, state);
  if (bySession === 'superseded') return { refused: refusal('REUSED') };
  if (bySession) return { refused: refusal('REVOKED', whyDenied(bySession, state)), denied: bySession };
  return cut ? { denied: cut } : { may: true };
}
