// A token that waits for the service's answer, and the callers that wait for it.

import type { Validation } from './api.js';
import type { Connection } from './connection.js';
import type { Moment } from './freshness.js';
import type { Claims } from './local-check.js';
import type { Failure } from './retry.js';

/** What a caller demands of an answer. */
export interface Wanted {
  /** How old the answer may be, ms; undefined: it must come from a call that is sent after this. */
  readonly maxStalenessMs: number | undefined;
  /** How long the caller waits, monotonic ms; undefined: the whole deadline. */
  readonly untilMs?: number;
}

/** One caller that waits. */
export interface Waiter {
  /** How old an answer may be, ms. A strict caller's is as long as it waits: it takes no answer to an earlier call. */
  readonly maxStalenessMs: number;
  /** When it gives up, monotonic ms. */
  readonly untilMs: number;
  readonly resolve: (validation: Validation) => void;
  readonly reject: (error: Error) => void;
  /** What it waits for. */
  pending: PendingToken | undefined;
}

/** One token, and all callers that share its answer. */
export interface PendingToken {
  readonly text: string;
  /** The claims of the token, if it was verified here. */
  readonly claims: Claims | undefined;
  /** Nearly always one. */
  waiters: Waiter[];
  /** Calls that have failed for it. */
  tries: number;
  failure: Failure | undefined;
  /** When the call with this token was sent; undefined: not yet. */
  sent: Moment | undefined;
  /** The connection on which it is not sent before a time, monotonic ms. */
  avoid: { readonly connection: Connection; readonly untilMs: number } | undefined;
}

export const newPendingToken = (text: string, claims: Claims | undefined): PendingToken => ({
  text,
  claims,
  waiters: [],
  tries: 0,
  failure: undefined,
  sent: undefined,
  avoid: undefined,
});

/** Adds a caller to those that wait for a token. */
export function join(waiter: Waiter, pending: PendingToken): void {
  waiter.pending = pending;
  pending.waiters.push(waiter);
}
