// Refresh: exchanges a refresh token for the next pair of its session.

import { type Context, writeDeadlineMs } from '../context.js';
import { retryOnConflict } from '../durability/retry-on-conflict.js';
import type { Call } from '../ports.js';
import { liveValue } from '../session/entries.js';
import { decideRefresh } from '../session/refresh-rule.js';
import { liveKeptUntilMs } from '../session/retention.js';
import { type SessionState, whyDenied } from '../session/session-state.js';
import { sessionKey, storeKeysFor } from '../session/store-keys.js';
import { type Pair, signPair } from '../session/token-pair.js';
import { sharedClaimsOf } from '../token/claims.js';
import { refusal } from '../token/errors.js';
import { TOKEN_SPARE_BYTES } from '../token/rules.js';
import { type PairTimes, pairTimesNow, type Token } from '../token/token.js';
import { authenticate } from './authenticate.js';
import { confirmDenial } from './confirm-denial.js';
import { endSession } from './end-session.js';

/**
 * Exchanges a refresh token for the next pair of its session.
 * @throws TokenRefused, InvalidInput (an adopted token is too large to carry our claims), StoreUnavailable
 */
export async function refresh(context: Context, call: Call, text: string): Promise<Pair> {
  const { policy, store } = context;
  const token = await authenticate(context, call, 'refresh', text);
  const storeKeys = storeKeysFor(store, token.subject, token.sessionId);
  const { shard } = storeKeys;
  const writeUntilMs = writeDeadlineMs(context, call, shard);
  let raced = false;
  return retryOnConflict(async () => {
    const state = await store.read(storeKeys);
    const nowMs = store.now(shard);
    const atMs = state.session?.atMs ?? nowMs;
    const time = { nowMs, reachedMs: store.reachedMsSince(shard, atMs), raced };
    const decision = decideRefresh(token, state, time, policy);
    switch (decision.act) {
      case 'rotate': {
        const pair = await rotate(context, token, state, { nowMs, writeUntilMs });
        // A call that read its generation as current was in time, whatever the clock says after it has read again.
        raced = pair === undefined;
        if (pair) audit(call, decision.heal ? 'session_healed' : 'session_refreshed', token);
        return pair;
      }
      case 'replay':
        await store.confirm(state, sessionKey(token.subject, token.sessionId), liveKeptUntilMs(token, decision.times));
        audit(call, 'session_replayed', token);
        return signSuccessor(context, token, decision.times);
      case 'refuse':
        if (decision.problem === 'REUSED') audit(call, 'session_duplicate', token);
        await confirmDenial(context, token, state, decision.denied);
        throw refusal(decision.problem, decision.denied && whyDenied(decision.denied, state));
      case 'end':
        if (!(await endSession(context, call, { token, state, cause: decision.cause, writeUntilMs }))) {
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
  state: SessionState,
  { nowMs, writeUntilMs }: { readonly nowMs: number; readonly writeUntilMs: number },
): Promise<Pair | undefined> {
  const { store, keys, policy } = context;
  const times = pairTimesNow(
    { generation: token.generation + 1, startMs: token.startMs, kid: keys.signingKid },
    policy,
    nowMs,
  );
  const pair = signSuccessor(context, token, times);
  const isWritten = await store.commit(state, {
    key: sessionKey(token.subject, token.sessionId),
    value: liveValue(times),
    keptUntilMs: liveKeptUntilMs(token, times),
    writeUntilMs,
  });
  return isWritten ? pair : undefined;
}

const signSuccessor = (context: Context, token: Token, times: PairTimes): Pair =>
  signPair(context.keys, sharedClaimsOf(token, context.policy), times, {
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
