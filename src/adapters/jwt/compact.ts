// Owns the outer form of a token: the compact serialization of RFC 7515, section 7.1, taken to the letter.

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * The header of a token in good form; undefined for anything else. base64url is decoded leniently by most libraries;
 * here each part must be the one spelling of its bytes, so that no two texts are the same token.
 */
export function readHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, header, payload, signature] = COMPACT.exec(token) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const bytes = Buffer.from(header, 'base64url');
  if (bytes.toString('base64url') !== header || !isCanonical(payload) || !isCanonical(signature)) return undefined;
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Whether the bits of the last character that belong to no byte are zero, and the length is possible. */
function isCanonical(part: string): boolean {
  const spare = part.length % 4;
  if (spare === 0) return true;
  const last = ALPHABET.indexOf(part.charAt(part.length - 1));
  return spare === 2 ? last % 16 === 0 : spare === 3 && last % 4 === 0;
}
