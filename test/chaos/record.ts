// What is written down of a chaos run: calls, faults, losses of the store. It names sessions, never tokens.

/** All times are milliseconds of one steady clock, the harness's own, unless a name says otherwise. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What identifies an answered pair: both tokens' claims, and the refresh token's bytes, hashed. */
export interface PairFacts {
  readonly sid: string;
  readonly gen: number;
  /** `jti iat exp` of the access and of the refresh token. */
  readonly claims: string;
  readonly refreshHash: string;
}

export type Outcome =
  | { readonly is: 'granted'; readonly pair: PairFacts }
  /** A logout, a logout everywhere or a revocation was acknowledged. */
  | { readonly is: 'done' }
  | { readonly is: 'active' }
  /** A definite no; `cause` as the service names it, where it does. */
  | { readonly is: 'refused'; readonly problem: string; readonly cause?: string | undefined }
  /** No answer, or "cannot tell": the call may have taken effect, or may yet. */
  | { readonly is: 'unknown'; readonly code: string };

export type CallKind = 'issue' | 'refresh' | 'validate' | 'logout' | 'everywhere' | 'revoke';

export interface CallRecord extends Span {
  readonly kind: CallKind;
  readonly node: number;
  readonly deadlineMs: number;
  readonly subject: string;
  /** The session of the token that was sent; none in `issue` and `revoke`. */
  readonly sid?: string;
  /** The generation of that token. */
  readonly gen?: number;
  /** Its `exp`, Unix seconds. */
  readonly exp?: number;
  readonly outcome: Outcome;
}

/** One call of `validate` of a validator, which runs in a process of its own. */
export interface ValidationRecord extends Span {
  /** The validator: what disturbs it. */
  readonly validator: string;
  /** `maxStaleness` of the call, ms; undefined: it was strict. */
  readonly stalenessMs: number | undefined;
  /** The validator's `deadline`. */
  readonly deadlineMs: number;
  /**
   * When the answer was handed over: the last look at the clock in the same turn of the event loop, or, without one,
   * `toMs`. So a stall of the process between the two does not make the answer late.
   */
  readonly handedMs: number;
  readonly subject: string;
  readonly sid: string;
  readonly gen: number;
  /** The token's `exp`, Unix seconds. */
  readonly exp: number;
  /** Whether the validator follows the feed. */
  readonly byFeed?: boolean;
  /** `active`, `refused`, or `unknown` for CannotTell. */
  readonly outcome: Outcome;
}

/** What was done to the store or a node, from its first moment until it was undone. */
export interface FaultRecord extends Span {
  readonly kind: string;
  /** How long after that until both nodes said that they serve, ms; undefined: they had not when the wait ended. */
  readonly recoveredAfterMs: number | undefined;
  /** Whether callers must not notice it: all is answered as usual meanwhile. */
  readonly unnoticed?: boolean;
}

export interface History {
  readonly calls: readonly CallRecord[];
  readonly faults: readonly FaultRecord[];
  /** The store came back empty: from before its end until the empty one answered. */
  readonly losses: readonly Span[];
  /** Whether a failover may take back what was written and not acknowledged: the store has replicas. */
  readonly takesBack?: boolean;
  /** The stalls of the harness itself: they do not count as time of a call. */
  readonly stalls: readonly Span[];
  readonly validations: readonly ValidationRecord[];
  /** The stalls of each validator's process, by the name of the validator. */
  readonly validatorStalls: Readonly<Record<string, readonly Span[]>>;
  /** What to add to a time here for Unix ms. */
  readonly unixOffsetMs: number;
  /** REFRESH_GRACE. */
  readonly graceMs: number;
}

/** The promises that the checker holds a history to. */
export const RULES = {
  a: 'a generation has one successor, for every call',
  b: 'no token is active after an acknowledged end',
  c: "an answered pair's access token is active until an end that the history contains",
  d: 'a session ends only by a logout, a reuse, an expiry or a store loss that the history contains',
  e: 'every call ends within its bound, and the service recovers by itself',
  f: 'a used refresh token gets no pair after the window',
  g: 'a validator calls a token active only if the service did so in a call that was sent as late as the caller demands',
  h: 'a validator calls a token not active only for a reason that the history contains, and then for good',
  i: 'a validator answers within its deadline',
} as const;

export interface Violation {
  readonly rule: keyof typeof RULES;
  readonly what: string;
  /** The session that it is about, if it is about one. */
  readonly sid?: string | undefined;
  readonly calls: readonly CallRecord[];
  /** The validations that show it; undefined: it is about calls alone. */
  readonly validations?: readonly ValidationRecord[];
}
