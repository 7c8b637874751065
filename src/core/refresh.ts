// Refresh: exchanges a refresh token for the next pair of its session.

import { attempt } from './attempt.js';
import { authenticate } from './authenticate.js';
import { bearerOf } from './claims.js';
import { confirmDenial } from './confirm-denial.js';
import { type Context, writeDeadlineMs } from './context.js';
import { endSession } from './end-session.js';
import { type LiveEntry, liveValue } from './entries.js';
import { refusal } from './errors.js';
import { type Pair, sealPair } from './pair.js';
import { placeOf, sessionKey } from './place.js';
import { SLACK_MS, TOKEN_SPARE_BYTES } from './policy.js';
import type { Call } from './ports.js';
import { decideRefresh } from './refresh-rule.js';
import { readStanding, type Standing, whyDenied } from './standing.js';
import { type Answered, answerNow, denyUntilMs, type Token } from './token.js';

/**
 * Exchanges a refresh token for the next pair of its session.
 * @throws TokenRefused, InvalidInput (an adopted token is too large to carry our claims), StoreUnavailable
 */
export async function refresh(context: Context, call: Call, text: string): Promise<Pair> {
  const { policy, store } = context;
  const token = await authenticate(context, call, 'refresh', text);
  const place = placeOf(store, token.subject, token.sessionId);
  const { shard } = place;
  const writeUntilMs = writeDeadlineMs(context, call, shard);
  let raced = false;
  return attempt(async () => {
    const standing = await readStanding(context, place);
    const nowMs = store.now(shard);
    const atMs = standing.session?.atMs ?? nowMs;
    const time = { nowMs, reachedMs: store.reachedMsSince(shard, atMs), raced };
    const decision = decideRefresh(token, standing, time, policy);
    switch (decision.act) {
      case 'rotate': {
        const pair = await rotate(context, token, standing, { nowMs, writeUntilMs });
        // A call that read its generation as current was in time, whatever the clock says after it has read again.
        raced = pair === undefined;
        if (pair) audit(call, decision.heal ? 'session_healed' : 'session_refreshed', token);
        return pair;
      }
      case 'replay':
        await confirm(context, token, standing, decision.answered);
        audit(call, 'session_replayed', token);
        return sealSuccessor(context, token, decision.answered);
      case 'refuse':
        if (decision.problem === 'REUSED') audit(call, 'session_duplicate', token);
        await confirmDenial(context, token, standing, decision.denied);
        throw refusal(decision.problem, decision.denied && whyDenied(decision.denied, standing));
      case 'end':
        if (!(await endSession(context, call, { token, standing, cause: decision.cause, writeUntilMs }))) {
          return undefined;
        }
        audit(call, decision.cause === 'reuse' ? 'session_reused' : 'session_lost', token);
        throw refusal(decision.problem, decision.problem === 'REVOKED' ? decision.cause : undefined);
    }
  });
}

/**
 * Creates the next pair. It is signed before the write, so that a pair that is too large writes nothing.
 * @returns undefined if another call has changed the session
 */
async function rotate(
  context: Context,
  token: Token,
  standing: Standing,
  { nowMs, writeUntilMs }: { readonly nowMs: number; readonly writeUntilMs: number },
): Promise<Pair | undefined> {
  const { store, keys, policy, ledger } = context;
  const answered = answerNow(
    { generation: token.generation + 1, startMs: token.startMs, kid: keys.signingKid },
    policy,
    nowMs,
  );
  const pair = sealSuccessor(context, token, answered);
  const draft = { value: liveValue(answered), atLeastMs: 0 };
  const keptMs = keptUntilMs(token, answered);
  const key = sessionKey(token.subject, token.sessionId);
  const lifetimeMs = keptMs - store.now(standing.known.shard);
  const swapped = await store.swap(key, standing.sessionText, draft, lifetimeMs, writeUntilMs);
  if (!swapped.won) return undefined;
  await ledger.acknowledge(standing.known, key, swapped, keptMs);
  return pair;
}

/** Acknowledges another call's write, which may not be on enough replicas yet and is not in our ledger. */
async function confirm(context: Context, token: Token, standing: Standing, answered: LiveEntry): Promise<void> {
  const key = sessionKey(token.subject, token.sessionId);
  const keptMs = keptUntilMs(token, answered);
  await context.ledger.acknowledge(standing.known, key, { current: standing.sessionText }, keptMs);
}

/** A live entry is kept until the tokens of its pair and the presented token, which it supersedes, have expired. */
const keptUntilMs = (token: Token, answered: Answered): number =>
  Math.max(answered.accessExpiresAt * 1000, answered.refreshExpiresAt * 1000, denyUntilMs(token)) + SLACK_MS;

const sealSuccessor = (context: Context, token: Token, answered: Answered): Pair =>
  sealPair(context.keys, bearerOf(token, context.policy), answered, {
    field: 'refresh_token',
    spareBytes: token.adopted ? TOKEN_SPARE_BYTES : 0,
  });

type RefreshEvent = Extract<Parameters<Call['audit']>[0], { generation: number }>['event'];

const audit = (call: Call, event: RefreshEvent, token: Token): void =>
  call.audit({
    event,
    subject: token.subject,
    sessionId: token.sessionId,
    generation: token.generation,
    ...(token.adopted ? { adopted: true } : {}),
  });
