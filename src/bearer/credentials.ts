// The bearer credentials of an HTTP request (RFC 6750, section 2.1), read from its Authorization lines.

export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  /** There are no credentials, or they have another scheme. */
  | { readonly kind: 'missing' }
  /** There are several credentials, or they are not a scheme and one token. */
  | { readonly kind: 'invalid' };

const MISSING: Credentials = { kind: 'missing' };
const INVALID: Credentials = { kind: 'invalid' };
/**
 * Reads the credentials. Proxies and servers differ in which of several Authorization lines they use, and some join the
 * lines with a comma, so several credentials are never accepted: a proxy could check one token, and the server behind
 * it could use another.
 * @param lines the values of all Authorization lines, as received; Node's `headers.authorization` holds the first only
 */
export function readCredentials(lines: readonly string[]): Credentials {
  const line = lines[0];
  if (line === undefined) return MISSING;
  if (lines.length > 1 || line.includes(',')) return INVALID;
  return usualToken(line) ?? readLine(line);
}

const USUAL_START = 'Bearer ';

/** The token of a line as nearly all clients write it; undefined: the line must be read in full. */
function usualToken(line: string): Credentials | undefined {
  if (!line.startsWith(USUAL_START)) return undefined;
  const token = line.slice(USUAL_START.length);
  return token === '' || token.includes(' ') || token.includes('\t') ? undefined : { kind: 'token', token };
}

function readLine(line: string): Credentials {
  const schemeFrom = skipBlanks(line, 0);
  const schemeTo = skipWord(line, schemeFrom);
  if (line.slice(schemeFrom, schemeTo).toLowerCase() !== 'bearer') return MISSING;
  const token = line.slice(skipBlanks(line, schemeTo), endOf(line));
  return token === '' || token.includes(' ') || token.includes('\t') ? INVALID : { kind: 'token', token };
}

// Plain loops and searches: a regular expression over the whole line takes longer than all else that a guard does.

const SPACE = 0x20;
const TAB = 0x09;

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === SPACE || code === TAB;
}

function skipBlanks(text: string, from: number): number {
  let index = from;
  while (isBlank(text, index)) index++;
  return index;
}

function skipWord(text: string, from: number): number {
  let index = from;
  while (index < text.length && !isBlank(text, index)) index++;
  return index;
}

/** Where the blanks at the end of a text begin. */
function endOf(text: string): number {
  let index = text.length;
  while (index > 0 && isBlank(text, index - 1)) index--;
  return index;
}

/** The values of all lines of one header, from a flat list of names and values such as Node's `rawHeaders`. */
export function linesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const found = rawHeaders[index];
    // Most names differ in length, which costs less to compare.
    if (found?.length !== name.length || found.toLowerCase() !== name) continue;
    const value = rawHeaders[index + 1];
    if (value !== undefined) lines.push(value);
  }
  return lines;
}
