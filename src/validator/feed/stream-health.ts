// The rules by which a stream of the feed is replaced although it has not ended. Pure.

import type { Failure } from '../retry.js';
import type { FeedKnowledge } from './feed-knowledge.js';

/** A stream on which a ping has no pong for this long is replaced, ms. */
const SILENT_MS = 1_000;
/** The same while it still catches up, from its last message on. */
const CATCHING_UP_MS = 3_000;
/** The same if its pongs do not cover all shards. It is replaced by a stream to another node. */
const UNCOVERED_MS = 2_000;
const MAX_UNCOVERED_MS = 64_000;

export const SILENT: Failure = {
  ...{ kind: 'unreachable', reason: 'the stream of revocations is silent', retryAfterMs: undefined },
};
export const UNCOVERED: Failure = { ...SILENT, reason: 'the service cannot read all of its store' };

/** A stream as it is judged. Times in ms, monotonic. */
export interface StreamState {
  readonly openedMs: number;
  /** When its last message came by which it caught up. */
  readonly caughtUpMs: number;
  /** Whether another node may be reached instead. */
  readonly isElsewhere: boolean;
  /**
   * How many streams in a row were replaced because they did not cover all shards. If no node reads its store, a change
   * is of no use, and each stream begins with all that ended lately: so each is kept twice as long as the one before.
   */
  readonly moves: number;
}

/** Why a stream is to be replaced; undefined: it is not. */
export function faultOf(knowledge: FeedKnowledge, stream: StreamState, nowMs: number): Failure | undefined {
  const { openedMs, caughtUpMs, isElsewhere, moves } = stream;
  if (!knowledge.isCaughtUp) return nowMs - caughtUpMs > CATCHING_UP_MS ? SILENT : undefined;
  const { waiting } = knowledge;
  // No pong comes before it has caught up, which may take long.
  if (waiting && nowMs - Math.max(waiting.sent.monotonicMs, caughtUpMs) > SILENT_MS) return SILENT;
  if (knowledge.isCovered || !isElsewhere) return undefined;
  const knownMs = Math.max(openedMs, knowledge.asOf?.monotonicMs ?? 0);
  return nowMs - knownMs > Math.min(MAX_UNCOVERED_MS, UNCOVERED_MS * 2 ** moves) ? UNCOVERED : undefined;
}
