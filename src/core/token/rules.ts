// The settings by which a token's claims and time are judged, and the fixed limits of tokens.

/**
 * The settings that decide, with the claims and the time alone, whether a token is valid. Times are in milliseconds;
 * the TTLs are whole seconds. Infinity: no such limit, for a verifier that does not know the issuing service's
 * settings.
 */
export interface TokenRules {
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  /** How long a session may last from its start, however often it is refreshed. */
  readonly sessionMaxMs: number;
  /** The clock skew allowed for another issuer. */
  readonly toleranceMs: number;
  /** The `iss` of our tokens; undefined: they carry none, and none is required. */
  readonly issuer: string | undefined;
  /** The `aud` of our tokens; a token must name one of these. Empty: as for `issuer`. */
  readonly audience: readonly string[];
  /** The claim that names the subject in adopted tokens; where it is not `sub`, our tokens carry it too. */
  readonly subjectClaim: string;
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
/** The bytes that a new session's tokens must leave free for growth: `gen` gains digits, `kid` and TTLs change. */
export const TOKEN_SPARE_BYTES = 1024;
/** How deep claims may be nested. Protobuf parsers stop at a depth of 100, and a Struct takes three levels for each. */
export const MAX_CLAIM_DEPTH = 16;
/** The largest valid `gen`: a refresh a second for 68 years. */
export const MAX_GENERATION = 2 ** 31 - 1;
/** The latest NumericDate in a claim, Unix seconds: its milliseconds must fit into a UUIDv7. */
export const MAX_NUMERIC_DATE = Math.floor((2 ** 48 - 1) / 1000);
