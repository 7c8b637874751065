// Values and names in claims that would change on their way into a token, and how a message says where they are.

/** A name that assigning to an object loses without an error. No claim may have it, at any depth. */
export const PROTO_NAME = '__proto__';

/**
 * Whether a number means the same to every reader of JSON and protobuf. From 2^53 on two whole numbers share one double
 * (RFC 8259, section 6): which of them was meant is lost before it arrives, so all of them are refused.
 */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));

/** Names and indexes that lead to a value among claims. */
export type ClaimPath = readonly (string | number)[];

/** The path to the first number that is not exact; undefined if all are. */
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

/** The most characters of a path that a message shows: names may be as long as a request. */
const MAX_PATH_CHARS = 200;

/** A path as a message shows it, such as `order.lines[2]["unit price"]`. */
export function formatPath(path: ClaimPath): string {
  const text = path
    .map((step) => (typeof step === 'string' && /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
  return text.length <= MAX_PATH_CHARS ? text : `${text.slice(0, MAX_PATH_CHARS).toWellFormed()}…`;
}
