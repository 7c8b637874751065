// Owns the settings that the rules go by, and the limits that are no settings.

/** The settings of the rules. Times are in milliseconds; the TTLs are whole seconds. */
export interface Policy {
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  /** How long a session may last from its start, however often it is refreshed. */
  readonly sessionMaxMs: number;
  /** How long a retry of a refresh gets the same successor. */
  readonly graceMs: number;
  /** How far another issuer's clock may be off. */
  readonly toleranceMs: number;
  /** `iss` of our tokens; undefined: they carry none and none is asked for. */
  readonly issuer: string | undefined;
  /** `aud` of our tokens; a token must name one of them. Empty: as for `issuer`. */
  readonly audience: readonly string[];
  /** The claim that names the subject in adopted tokens; where it is not `sub`, our tokens carry it too. */
  readonly subjectClaim: string;
  /** Where adopted sessions are judged by a date of their own: Unix ms, put into births that are first seen missing. */
  readonly foreignSinceMs: number | undefined;
  /** Whether another issuer's tokens are taken over. */
  readonly adopts: boolean;
}

/**
 * An adopted token ends so long after its session's start at the latest, whatever the settings. Its issuer may write any
 * `exp`, and what denies it must be kept until then. Milliseconds.
 */
export const ADOPTED_MAX_MS = 366 * 24 * 60 * 60 * 1000;

/** The largest token that is looked at or signed, bytes. */
export const MAX_TOKEN_BYTES = 8 * 1024;
/** The most tokens that are asked about in one call. */
export const MAX_TOKENS = 1_000;
/** What a new session must leave free for growth: `gen` gains digits, `kid` and TTLs change. Bytes. */
export const TOKEN_SPARE_BYTES = 1024;
/** How deep claims may be nested. A Struct of protobuf is read to a depth of 100, at three a level. */
export const MAX_CLAIM_DEPTH = 16;
/** Above it a `gen` is no number of ours: a refresh a second for 68 years. */
export const MAX_GENERATION = 2 ** 31 - 1;
/** The latest date that a claim may hold: its milliseconds must fit in a UUIDv7. Unix seconds. */
export const MAX_NUMERIC_DATE = Math.floor((2 ** 48 - 1) / 1000);

/**
 * For how long the grace window may stand still while a node cannot reach the store, or is not there. Longer would let
 * any restart bring back what was used long ago. Milliseconds.
 */
export const MOST_PAUSE_MS = 10 * 60 * 1000;

/** What every entry is kept for beyond its use: more than any tolerance, clock step or long call. Milliseconds. */
export const SLACK_MS = 60 * 60 * 1000;
/**
 * For how long a process remembers what it has acknowledged, to restore it in a store that has lost writes. Longer than a
 * failover takes. Milliseconds.
 */
export const LEDGER_MS = 10 * 60 * 1000;
/** For how many sessions it remembers the last refresh. A line takes up to 830 bytes of memory. */
export const MAX_ROTATIONS = 50_000;
/** For how many sessions and subjects it remembers the end. Refreshes, which are many more, take no room from these. */
export const MAX_DENIALS = 50_000;

/** A call that has run for this long writes no verdict any more: its caller has given up and may be trying again. */
export const VERDICT_AGE_MS = 2_000;
/** After so many lost swaps in a row the answer is "cannot tell". */
export const MAX_ATTEMPTS = 5;
