// HMAC with SHA-256 (RFC 2104, section 2), by Node's one-shot hash.
//
// Node's `createHmac` makes an object for each signature, and a refresh needs two: they cost three times as much as the
// hashes themselves. Tests compare both, and the vectors of RFC 4231.

import { hash, type KeyObject } from 'node:crypto';

/** The block of SHA-256, and its digest. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** The longest token that is accepted is 8 KiB. A longer text gets a buffer of its own. */
const MAX_KEPT_TEXT = 8_192;

/** What is hashed under one key. The rest of each buffer is written at each use. */
interface Padded {
  /** The key with the inner pad, and then the text. */
  readonly inner: Buffer;
  /** The key with the outer pad, and then the inner digest. */
  readonly outer: Buffer;
}

const padded = new WeakMap<KeyObject, Padded>();

/**
 * @param key a secret
 * @param text Latin-1, such as the signing input of a token
 * @returns base64url
 */
export function hmacSha256(key: KeyObject, text: string): string {
  const { inner, outer } = padded.get(key) ?? pad(key);
  const end = BLOCK_BYTES + text.length;
  const hashed = end <= inner.length ? inner.subarray(0, end) : Buffer.concat([inner.subarray(0, BLOCK_BYTES)], end);
  hashed.write(text, BLOCK_BYTES, 'latin1');
  // The digest travels as a string of its bytes: a buffer of its own would take longer than the hash.
  outer.write(hash('sha256', hashed, 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outer, 'base64url');
}

function pad(key: KeyObject): Padded {
  const exported = key.export();
  const secret = exported.length > BLOCK_BYTES ? hash('sha256', exported, 'buffer') : exported;
  const inner = Buffer.alloc(BLOCK_BYTES + MAX_KEPT_TEXT, INNER_PAD);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, OUTER_PAD);
  for (const [at, byte] of secret.entries()) {
    inner[at] = byte ^ INNER_PAD;
    outer[at] = byte ^ OUTER_PAD;
  }
  const made = { inner, outer };
  padded.set(key, made);
  return made;
}
