// Refresh: exchanges a refresh token for the next pair of its session.

import { attempt } from './attempt.js';
import { authenticate } from './authenticate.js';
import { bearerOf } from './claims.js';
import { confirmDenial } from './confirm-denial.js';
import { type Context, writeUntilMs } from './context.js';
import { endSession } from './end-session.js';
import { type LiveEntry, liveValue } from './entries.js';
import { refusal } from './errors.js';
import { type Pair, sealPair } from './pair.js';
import { placeOf, sessionKey } from './place.js';
import { MOST_PAUSE_MS, type Policy, SLACK_MS, TOKEN_SPARE_BYTES } from './policy.js';
import type { Call } from './ports.js';
import { type Denial, denial, isAhead, readStanding, type Standing, whyDenied } from './standing.js';
import { type Answered, answerNow, denyUntilMs, sessionEndMs, type Token, timing } from './token.js';

/** The action for a presented refresh token. */
type RefreshDecision =
  /** Create the next pair. `heal`: the token is ahead of the store, which has lost writes. */
  | { readonly act: 'rotate'; readonly heal: boolean }
  /** Return the current pair again. */
  | { readonly act: 'replay'; readonly answered: LiveEntry }
  | { readonly act: 'refuse'; readonly problem: Problem; readonly denied?: Denial }
  /** End the session, then refuse. */
  | { readonly act: 'end'; readonly cause: 'reuse' | 'lost'; readonly problem: Problem };

type Problem = Parameters<typeof refusal>[0];

/** The time of a decision, and what a node's outage and a lost swap change about it. */
interface Moment {
  /** The store's time, Unix ms. */
  readonly nowMs: number;
  /**
   * How long this node has reached the store since the entry was written, ms: no client could retry during an outage.
   */
  readonly reachedMs: number;
  /** Whether this call read its token as current, and then lost the swap to another call. */
  readonly raced: boolean;
}

/** Decides what to do about a refresh token. Pure: the same input gives the same decision. */
function decideRefresh(token: Token, standing: Standing, moment: Moment, policy: Policy): RefreshDecision {
  const time = timing(token, policy, moment.nowMs);
  const denied = denial(token, standing);
  if (denied === 'superseded' && standing.session?.state === 'live') {
    const { session } = standing;
    const withinGrace =
      moment.reachedMs <= policy.graceMs && moment.nowMs - session.atMs <= policy.graceMs + MOST_PAUSE_MS;
    const oneBehind = token.generation === session.generation - 1;
    // A token that expired between the first try and the retry still replays: it was valid when it was exchanged.
    if (oneBehind && (withinGrace || moment.raced) && moment.nowMs < sessionEndMs(token.startMs, policy))
      return { act: 'replay', answered: session };
    if (time) return { act: 'refuse', problem: time };
    // Not theft: two or more behind within the window is a delayed duplicate of an honest client's earlier call, and
    // the loser of a race may read again only after the winner has refreshed once more.
    if (withinGrace || moment.raced) return { act: 'refuse', problem: 'REUSED' };
    // RFC 9700, section 4.14.2: either a thief or the honest client has used it before; the server cannot know which.
    return { act: 'end', cause: 'reuse', problem: 'REUSED' };
  }
  if (time) return { act: 'refuse', problem: time };
  // The end is written, so that the denial lasts: a token of an earlier generation must not start a second chain.
  if (denied === 'lost') return { act: 'end', cause: 'lost', problem: 'REVOKED' };
  if (denied) return { act: 'refuse', problem: 'REVOKED', denied };
  return { act: 'rotate', heal: isAhead(token, standing) };
}

/**
 * Exchanges a refresh token for the next pair of its session.
 * @throws TokenRefused, InvalidInput (an adopted token is too large to carry our claims), StoreUnavailable
 */
export async function refresh(context: Context, call: Call, text: string): Promise<Pair> {
  const { policy, store } = context;
  const token = await authenticate(context, call, 'refresh', text);
  const place = placeOf(store, token.subject, token.sessionId);
  const { shard } = place;
  const untilMs = writeUntilMs(context, call, shard);
  let raced = false;
  return attempt(async () => {
    const standing = await readStanding(context, place);
    const nowMs = store.now(shard);
    const atMs = standing.session?.atMs ?? nowMs;
    const moment = { nowMs, reachedMs: store.reachedMsSince(shard, atMs), raced };
    const decision = decideRefresh(token, standing, moment, policy);
    switch (decision.act) {
      case 'rotate': {
        const pair = await rotate(context, token, standing, nowMs, untilMs);
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
        if (!(await endSession(context, call, token, decision.cause, standing, untilMs))) return undefined;
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
  nowMs: number,
  untilMs: number,
): Promise<Pair | undefined> {
  const { store, keys, policy, ledger } = context;
  const answered = answerNow(token.generation + 1, token.startMs, keys.signingKid, policy, nowMs);
  const pair = sealSuccessor(context, token, answered);
  const draft = { value: liveValue(answered), atLeastMs: 0 };
  const keptMs = keptUntilMs(token, answered);
  const key = sessionKey(token.subject, token.sessionId);
  const lifetimeMs = keptMs - store.now(standing.known.shard);
  const swapped = await store.swap(key, standing.sessionText, draft, lifetimeMs, untilMs);
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
