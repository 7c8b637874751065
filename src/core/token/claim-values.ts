// Claim values and names that JSON or protobuf would change, and the path that an error shows for them.

/** An assignment to this property is lost without an error. No claim may have this name, at any depth. */
export const PROTO_NAME = '__proto__';

/**
 * Whether every JSON and protobuf parser reads the same number. From 2^53 on several integers share one double
 * (RFC 8259, section 6), so the sender's integer cannot be known; all of them are refused.
 */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));

/** The names and indexes that lead to a value in the claims. */
export type ClaimPath = readonly (string | number)[];

/** The path to the first inexact number; undefined if there is none. */
export function findInexact(value: unknown): ClaimPath | undefined {
  if (typeof value === 'number') return isExact(value) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value)) {
    const path = findInexact(inner);
    if (path) return [isList ? Number(name) : name, ...path];
  }
  return undefined;
}

/** The length at which a message cuts a path: names may be as long as a request. */
const MAX_PATH_CHARS = 200;

/** Formats a path for a message, such as `order.lines[2]["unit price"]`. */
export function formatPath(path: ClaimPath): string {
  const text = path
    .map((step) => (typeof step === 'string' && /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
  return text.length <= MAX_PATH_CHARS ? text : `${text.slice(0, MAX_PATH_CHARS).toWellFormed()}…`;
}
