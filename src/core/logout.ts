// Owns the logout: which sessions a request's tokens end, and when nothing is left to end.

import { attempt } from './attempt.js';
import { authenticate } from './authenticate.js';
import { confirmDenial } from './confirm-denial.js';
import { type Context, writeUntilMs } from './context.js';
import { deadFromMs, endSession } from './end-session.js';
import { endSubject } from './end-subject.js';
import { InvalidInput, refusal, TokenRefused } from './errors.js';
import { type Place, placeOf } from './place.js';
import type { Policy } from './policy.js';
import type { Call } from './ports.js';
import { cutOff, type Denial, denialBySession, readStanding, type Standing, whyDenied } from './standing.js';
import { type Token, timing } from './token.js';

export interface LogoutRequest {
  /** Empty: none. */
  readonly accessToken: string;
  /** Empty: none. */
  readonly refreshToken: string;
  readonly allSessions: boolean;
}

/**
 * Ends the sessions of the tokens, or all sessions of their subject. An expired or superseded authentic token will do
 * for the first: it only ends, it never grants.
 * @throws TokenRefused, InvalidInput, StoreUnavailable
 */
export async function logout(context: Context, call: Call, request: LogoutRequest): Promise<void> {
  const tokens = await authenticTokens(context, call, request);
  if (request.allSessions) return logoutEverywhere(context, call, tokens);
  const ours = tokens.filter((token) => !namesNoSession(token));
  if (ours.length === 0) {
    throw new InvalidInput({
      field: 'refresh_token',
      reason: 'REQUIRED',
      description: 'the access token of another issuer names no session here: send its refresh token',
    });
  }
  // Of two tokens of one session the refresh token counts, which is first: what denies it must be kept for longer.
  const sessions = new Map(ours.toReversed().map((token) => [token.sessionId, token]));
  const ends = [...sessions.values()].map((token) => {
    const place = placeOf(context.store, token.subject, token.sessionId);
    return { token, place, untilMs: writeUntilMs(context, call, place.shard) };
  });
  for (const { token, place, untilMs } of ends) await endOne(context, call, token, place, untilMs);
}

// simplejwt gives the two tokens of a login ids of their own, so that the one does not lead to the other.
const namesNoSession = (token: Token): boolean => token.adopted && token.kind === 'access';

/** The tokens that are authentic, the refresh token first. A good refresh token wins over a bad bearer. */
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

async function endOne(context: Context, call: Call, token: Token, place: Place, untilMs: number): Promise<void> {
  await attempt(async () => {
    const standing = await readStanding(context, place);
    if (isOver(token, standing, context.store.now(place.shard), context.policy)) {
      const denied = standing.session?.state === 'ended' ? 'ended' : cutOff(token, standing);
      // What another call has written is not yet safe by that; nor is it in our ledger.
      if (denied === 'ended' || denied === 'not-before') await confirmDenial(context, token, standing, denied);
      else await context.store.settle(standing.known.shard, standing.known.incarnation);
      return true;
    }
    return (await endSession(context, call, token, 'logout', standing, untilMs)) || undefined;
  });
}

/** Whether no token of the session can stand any more, whatever settings come, so that nothing need be written. */
const isOver = (token: Token, standing: Standing, nowMs: number, policy: Policy): boolean =>
  standing.session?.state === 'ended' ||
  cutOff(token, standing) !== undefined ||
  nowMs >= deadFromMs(token, standing, policy);

/** Needs one token that stands, or one that only an earlier cut-off denies: that is a retry, and done already. */
async function logoutEverywhere(context: Context, call: Call, tokens: Token[]): Promise<void> {
  const [{ subject }] = tokens as [Token];
  if (tokens.some((token) => token.subject !== subject)) {
    const description = 'the two tokens are of different subjects: send tokens of one';
    throw new InvalidInput({ field: 'all_sessions', reason: 'CONFLICT', description });
  }
  const { store, policy } = context;
  const shard = store.shardOf(subject);
  const untilMs = writeUntilMs(context, call, shard);
  const verdicts = await Promise.all(
    tokens.map(async (token) => {
      const standing = await readStanding(context, placeOf(store, subject, token.sessionId));
      const verdict = mayEndAll(token, standing, store.now(shard), policy);
      await confirmDenial(context, token, standing, verdict.denied);
      return verdict;
    }),
  );
  const standing = tokens.filter((_, index) => verdicts[index]?.may);
  if (standing.length > 0) {
    const startMs = Math.max(...standing.map((token) => token.startMs));
    return endSubject(context, call, subject, startMs, untilMs);
  }
  const [first] = verdicts;
  if (first?.refused && verdicts.every(({ refused }) => refused)) throw first.refused;
}

/** Whether a token may end all sessions of its subject. Neither `may` nor `refused`: it did before. */
interface EndAllVerdict {
  readonly may?: true;
  readonly refused?: TokenRefused;
  /** What the answer rests on. */
  readonly denied?: Denial;
}

/** The rule of ending all sessions. Pure. */
function mayEndAll(token: Token, standing: Standing, nowMs: number, policy: Policy): EndAllVerdict {
  const time = timing(token, policy, nowMs);
  if (time) return { refused: refusal(time) };
  const cut = cutOff(token, standing);
  if (cut === 'birth') return { refused: refusal('REVOKED', cut) };
  const bySession = denialBySession(token, standing);
  if (bySession === 'superseded') return { refused: refusal('REUSED') };
  if (bySession) return { refused: refusal('REVOKED', whyDenied(bySession, standing)), denied: bySession };
  return cut ? { denied: cut } : { may: true };
}
