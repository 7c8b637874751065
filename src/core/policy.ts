// The settings of the rules, and the fixed limits.

/** The settings of the rules. Times are in milliseconds; the TTLs are whole seconds. */
export interface Policy {
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  /** How long a session may last from its start, however often it is refreshed. */
  readonly sessionMaxMs: number;
  /** How long a retry of a refresh gets the same successor. */
  readonly graceMs: number;
  /** The clock skew allowed for another issuer. */
  readonly toleranceMs: number;
  /** The `iss` of our tokens; undefined: they carry none, and none is required. */
  readonly issuer: string | undefined;
  /** The `aud` of our tokens; a token must name one of these. Empty: as for `issuer`. */
  readonly audience: readonly string[];
  /** The claim that names the subject in adopted tokens; where it is not `sub`, our tokens carry it too. */
  readonly subjectClaim: string;
  /** The start from which adopted sessions are accepted, Unix ms; written into the birth records of a new store. */
  readonly foreignSinceMs: number | undefined;
  /** Whether another issuer's tokens are adopted. */
  readonly adopts: boolean;
}

/**
 * The longest life of an adopted token from its session's start, whatever the settings, ms. Its issuer may write any
 * `exp`, and the entry that denies it must be kept until it ends.
 */
export const ADOPTED_MAX_MS = 366 * 24 * 60 * 60 * 1000;

/** The largest token that is accepted or signed, bytes. */
export const MAX_TOKEN_BYTES = 8 * 1024;
/** The largest number of tokens in one ValidateTokens call. */
export const MAX_TOKENS = 1_000;
/** The bytes that a new session's tokens must leave free for growth: `gen` gains digits, `kid` and TTLs change. */
export const TOKEN_SPARE_BYTES = 1024;
/** How deep claims may be nested. Protobuf parsers stop at a depth of 100, and a Struct takes three levels for each. */
export const MAX_CLAIM_DEPTH = 16;
/** The largest valid `gen`: a refresh a second for 68 years. */
export const MAX_GENERATION = 2 ** 31 - 1;
/** The latest NumericDate in a claim, Unix seconds: its milliseconds must fit into a UUIDv7. */
export const MAX_NUMERIC_DATE = Math.floor((2 ** 48 - 1) / 1000);

/**
 * The most by which an outage of the store or of the node extends the grace window, ms. A longer one would let any
 * restart accept tokens that were used long ago.
 */
export const MOST_PAUSE_MS = 10 * 60 * 1000;

/** How long every entry is kept beyond its use, ms: more than any tolerance, clock step or long call. */
export const SLACK_MS = 60 * 60 * 1000;
/**
 * How long a process remembers the entries that it has acknowledged, to restore them in a store that has lost writes,
 * ms. Longer than a failover takes.
 */
export const LEDGER_MS = 10 * 60 * 1000;
/** The most refreshed sessions that a process remembers. A record takes up to 830 bytes of memory. */
export const MAX_ROTATIONS = 50_000;
/**
 * The most ended sessions and subjects that a process remembers. The far more frequent refreshes do not displace them.
 */
export const MAX_DENIALS = 50_000;

/** The age from which a call writes nothing, ms: its caller has given up, and may be retrying. */
export const VERDICT_AGE_MS = 2_000;
/** How often an operation is tried if its entry keeps changing. */
export const MAX_ATTEMPTS = 5;
