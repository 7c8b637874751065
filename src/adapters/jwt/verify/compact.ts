// The strict parser of a JWT in compact serialization (RFC 7515, section 7.1).

import { isUtf8 } from 'node:buffer';

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** A well-formed token, split at its dots. All parts are still base64url. */
export interface Compact {
  readonly text: string;
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

/**
 * Splits a well-formed token; undefined for anything else. Most libraries decode base64url leniently. Here each part
 * must be the canonical encoding of its bytes, so that no two texts are the same token.
 */
export function readCompact(text: string): Compact | undefined {
  const [, header, payload, signature] = COMPACT.exec(text) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  if (!isCanonical(header) || !isCanonical(payload) || !isCanonical(signature)) return undefined;
  return { text, header, payload, signature };
}

/** The signing input of a token (RFC 7515, section 5.1): its text up to the second dot. */
export const signingInput = ({ text, signature }: Compact): string => text.slice(0, -signature.length - 1);

export const encodePart = (json: string): string => Buffer.from(json, 'utf8').toString('base64url');

/**
 * The JSON value of a header or a payload; undefined if it cannot be parsed. Bytes that are not UTF-8 are an error
 * (RFC 7519, section 7.2): Buffer would replace them, and two subjects could become the same.
 */
export function decodePart(part: string): unknown {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Whether the bytes of a part are UTF-8. */
export const isUtf8Part = (part: string): boolean => isUtf8(Buffer.from(part, 'base64url'));

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Whether the length is possible, and the unused bits of the last character are zero. */
function isCanonical(part: string): boolean {
  const spare = part.length % 4;
  if (spare === 0) return true;
  const last = ALPHABET.indexOf(part.charAt(part.length - 1));
  return spare === 2 ? last % 16 === 0 : spare === 3 && last % 4 === 0;
}
