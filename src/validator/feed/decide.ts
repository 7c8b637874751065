// The rules, in order, that decide on a token from what the feed has delivered. Pure.

import { MARGIN_MS } from '../../core/feed/limits.js';
import { denialByStart } from '../../core/session/session-state.js';
import type { TokenRules } from '../../core/token/rules.js';
import { type Token, timing } from '../../core/token/token.js';
import { elapsedMs, type Moment } from '../freshness.js';
import type { FeedTime } from './feed-time.js';
import type { Revocations } from './revocations.js';
import type { Ping, ShardProgress } from './shard-progress.js';

/** A token whose signature and claims are good, and by what the feed names it. */
export interface Subject {
  readonly token: Token;
  readonly shard: number;
  /** The ids of its session and of its subject; see `revoked-ids.ts`. */
  readonly session: string;
  readonly subject: string;
}

/** What a caller demands: knowledge as of a ping that is young enough, or that was sent after the call began. */
export type Demand = { readonly maxStalenessMs: number } | { readonly fromPing: number };

/**
 * `ask`: the feed does not suffice, now or later. `stale`: it would, if what it delivered were younger. The others are
 * answers; of these `REVOKED` and `EXPIRED` hold however old the knowledge is.
 */
export type Verdict = 'active' | 'REVOKED' | 'EXPIRED' | 'ask' | 'stale';

/** What the feed has delivered. */
export interface Delivered {
  readonly revocations: Revocations;
  readonly progress: ShardProgress;
  readonly time: FeedTime;
  /** The settings of the node that the stream is to. */
  readonly rules: TokenRules;
}

export function decide(
  of: Subject,
  { revocations, progress, time, rules }: Delivered,
  now: Moment,
  demand: Demand,
): Verdict {
  const { token, shard, session, subject } = of;
  if (revocations.isEnded(session)) return 'REVOKED';
  const known = progress.get(shard);
  if (!known) return 'ask';
  const atMs = revocations.notBeforeMs(subject);
  const notBefore = atMs === undefined ? undefined : { atMs };
  if (denialByStart(token, { birth: known.birth, notBefore })) return 'REVOKED';
  if (!time.isKnown) return 'ask';
  const nowMs = time.nowMs(now.monotonicMs);
  const problem = timing(token, rules, nowMs);
  // The time is a lower bound: a token that is not valid yet by it may be valid.
  if (problem) return problem === 'EXPIRED' ? 'EXPIRED' : 'ask';
  if (revocations.isDoubtful(session, subject)) return 'ask';
  const issuedMs = token.issuedAt * 1000;
  if (issuedMs < Math.max(known.completeSinceMs, progress.floorMs) || issuedMs > nowMs + MARGIN_MS) return 'ask';
  return known.asOf && meets(known.asOf, now, demand) ? 'active' : 'stale';
}

const meets = ({ id, sent }: Ping, now: Moment, demand: Demand): boolean =>
  'fromPing' in demand ? id >= demand.fromPing : elapsedMs(sent, now) <= demand.maxStalenessMs;
