// A verified JWS: what an adapter returns once a key of ours has verified a token's signature.

/** The use of a key. `adopted`: the secret of another issuer whose tokens are adopted. */
export type KeyUse = 'access' | 'refresh' | 'adopted';

/** A token with a verified signature. Nothing else has been checked. */
export interface VerifiedJws {
  readonly use: KeyUse;
  /** The header's `kid`; undefined for an adopted token, which names no key. */
  readonly kid: string | undefined;
  /** The header's `typ`. */
  readonly typ: unknown;
  readonly payload: unknown;
}

/** A hash function, from which the session id of an adopted token is derived. */
export interface Sha256 {
  sha256(text: string): Uint8Array;
}
