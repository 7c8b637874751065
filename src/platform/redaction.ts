// Two filters that keep tokens and passwords out of the log: by the name of a field, and by the shape of a text.

export const REDACTED = '[redacted]';

/** The first filter: fields with these names are never written, at the top level and one level below. */
export const SECRET_FIELDS: readonly string[] = [
  ...['authorization', 'Authorization', 'cookie', 'credential', 'credentials', 'password', 'passphrase', 'secret'],
  ...['token', 'tokens', 'access', 'refresh', 'access_token', 'refresh_token', 'accessToken', 'refreshToken'],
  ...['id_token', 'idToken', 'issuerToken', 'jwt', 'jwtSecret', 'privateKey'],
];

const SECRET_FIELD_SET: ReadonlySet<string> = new Set(SECRET_FIELDS);

/** Redacts the fields one level below. pino's own wildcards would take ten times as long as the rest of a line. */
export function redactInner(fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(fields).some(hasSecretField)) return fields;
  const found = Object.entries(fields).filter(([, value]) => hasSecretField(value));
  const redacted = found.map(([name, value]) => {
    const inner = Object.entries(value as object).map(([key, each]) => [
      key,
      SECRET_FIELD_SET.has(key) ? REDACTED : each,
    ]);
    return [name, Object.fromEntries(inner)];
  });
  return { ...fields, ...Object.fromEntries(redacted) };
}

const hasSecretField = (value: unknown): boolean =>
  // The serializer of errors writes known fields only.
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Error) &&
  Object.keys(value).some((key) => SECRET_FIELD_SET.has(key));

/** The length of the shortest signature, HS256: 32 bytes as base64url. */
const MIN_SIGNATURE_CHARS = 43;

/**
 * The second filter works on the finished line, whichever field holds the text. It matches, in this order:
 * - escapes of JSON, which it keeps, so that no later alternative cuts one in two and breaks the line;
 * - fields that may hold a long random name, which it keeps, too: subjects of Entra, thumbprints of RFC 7638;
 * - the credentials in a URL;
 * - a JWT, complete or cut: `{"` in base64url is `eyJ`. Within a word it must be long, because of names like `KeyJson`;
 * - a long run of base64url: a signature alone completes a token whose claims can be guessed.
 */
const SUSPECTS = new RegExp(
  [
    String.raw`(?<kept>\\(?:u[0-9A-Fa-f]{4}|.)|"(?:subject|kid)":"[\w-]{1,255}")`,
    String.raw`(?<scheme>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}:\/\/)(?:\\.|[^\s"\\]){0,1024}@`,
    String.raw`(?:(?<![A-Za-z0-9])eyJ|eyJ(?=[\w-]{12}))[\w-]*(?:\.[\w-]*)*`,
    String.raw`(?<run>[\w-]{${MIN_SIGNATURE_CHARS},})`,
  ].join('|'),
  'g',
);

/** Whether a run has upper case, lower case and another character, as random base64url has. Hex digests do not. */
const looksRandom = (run: string): boolean => /[A-Z]/.test(run) && /[a-z]/.test(run) && /[\d_-]/.test(run);

const IN_RUN = Uint8Array.from({ length: 128 }, (_, code) => Number(/[\w-]/.test(String.fromCharCode(code))));
const isInRun = (text: string, at: number): boolean => IN_RUN[text.charCodeAt(at)] === 1;

/**
 * Whether a line has a run that is long enough to be a signature. Such a run covers at least one of the positions 42,
 * 85, 128, …, so it is enough to examine those: the regular expression would take several times as long as the whole
 * line.
 */
function hasLongRun(line: string): boolean {
  for (let at = MIN_SIGNATURE_CHARS - 1; at < line.length; at += MIN_SIGNATURE_CHARS) {
    if (!isInRun(line, at)) continue;
    let [from, to] = [at, at + 1];
    while (isInRun(line, from - 1)) from--;
    while (isInRun(line, to)) to++;
    if (to - from >= MIN_SIGNATURE_CHARS) return true;
  }
  return false;
}

/** Replaces everything that looks like a token or like credentials in a URL. Valid JSON stays valid. */
export function redactByShape(line: string): string {
  // A fast test first: most lines contain nothing of the kind.
  if (!line.includes('eyJ') && !line.includes('://') && !hasLongRun(line)) return line;
  return line.replace(SUSPECTS, (match: string, ...rest: unknown[]) => {
    const { kept, scheme, run } = rest.at(-1) as Partial<Record<string, string>>;
    if (kept !== undefined) return match;
    if (scheme !== undefined) return `${scheme}${REDACTED}@`;
    return run === undefined || looksRandom(run) ? REDACTED : match;
  });
}
