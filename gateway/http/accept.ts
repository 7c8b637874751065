// The header Accept (RFC 9110, section 12.5.1), as far as it chooses between two media types.

/**
 * Whether a client names a media type, and prefers it to another one. A range such as `*` does not name it.
 * @param accept the header
 */
export function prefers(accept: string | undefined, type: string, other: string): boolean {
  const quality = qualityOf(accept ?? '', type);
  return quality !== undefined && quality > 0 && quality >= (qualityOf(accept ?? '', other) ?? 0);
}

/** The weight of a media type, 0 to 1; undefined: the header does not name it. */
function qualityOf(accept: string, type: string): number | undefined {
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1';
    // An invalid weight counts as none: the client gets the default.
    return /^(?:0(?:\.\d{1,3})?|1(?:\.0{1,3})?)$/.test(weight) ? Number(weight) : 0;
  }
  return undefined;
}
