// Session ids, which are UUIDv7 (RFC 9562, section 5.7) and hold the session's start, and valid subjects.

declare const brand: unique symbol;

/** A UUIDv7 in lower case. Its first 48 bits are the session's start, Unix ms. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The longest subject, bytes of UTF-8 (OpenID Connect Core, section 2, has the same limit for `sub`). */
export const MAX_SUBJECT_BYTES = 255;

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * Creates a session id.
 * @param startMs Unix ms, 0 to 2^48 - 1
 * @param entropy at least 10 bytes; 74 bits of them are used
 */
export function makeSessionId(startMs: number, entropy: Uint8Array): SessionId {
  const [a = 0, , c = 0] = entropy;
  const tail = hex(entropy.subarray(1, 10));
  const time = startMs.toString(16).padStart(12, '0');
  const versioned = `7${hex(Uint8Array.of(a)).slice(1)}${tail.slice(0, 2)}`;
  const variant = ((c & 0x3f) | 0x80).toString(16) + tail.slice(4, 6);
  return `${time.slice(0, 8)}-${time.slice(8)}-${versioned}-${variant}-${tail.slice(6, 18)}` as SessionId;
}

export const isSessionId = (value: unknown): value is SessionId => typeof value === 'string' && UUID_V7.test(value);

/** When the session started, Unix ms. */
export const sessionStartMs = (id: SessionId): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/**
 * Whether a value is a valid subject. Lone surrogates are refused, and so is U+FFFD, which decoders write for invalid
 * UTF-8: two subjects that differ in these alone would share a key.
 */
export const isSubject = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.isWellFormed() &&
  !value.includes('\ufffd') &&
  (value.length * 3 <= MAX_SUBJECT_BYTES || new TextEncoder().encode(value).length <= MAX_SUBJECT_BYTES);
