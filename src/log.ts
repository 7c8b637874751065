// The logger: JSON lines, and the two filters that keep tokens and passwords out of them.

import { type DestinationStream, pino, stdTimeFunctions } from 'pino';
import { descriptor, MAX_PIECE } from './log-descriptor.js';

const REDACTED = '[redacted]';
const MAX_CAUSES = 4;

/** From the most talkative to nothing at all. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** A caller's request id if it may go into a log, short and harmless; else undefined, and one must be made. */
export const acceptRequestId = (given: unknown): string | undefined =>
  typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;

/** Writes one line: some fields, an error as `err`, and a fixed message. */
export type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** As much of a logger as the project uses. */
export interface Logger {
  readonly trace: LogWrite;
  readonly debug: LogWrite;
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
  /** Whether lines of a level are written. */
  isLevelEnabled(level: string): boolean;
  /** A logger that puts some more fields to each line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** The first filter: fields with these names are never written, at the top and one level down. */
const SECRET_FIELDS: readonly string[] = [
  ...['authorization', 'Authorization', 'cookie', 'credential', 'credentials', 'password', 'passphrase', 'secret'],
  ...['token', 'tokens', 'access', 'refresh', 'access_token', 'refresh_token', 'accessToken', 'refreshToken'],
  ...['id_token', 'idToken', 'issuerToken', 'jwt', 'jwtSecret', 'privateKey'],
];

const SECRET_FIELD_SET: ReadonlySet<string> = new Set(SECRET_FIELDS);

/** Hides what is one level down; pino's own wildcards take ten times as long as the rest of a line. */
function hideInner(fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(fields).some(hasSecretField)) return fields;
  const wrong = Object.entries(fields).filter(([, value]) => hasSecretField(value));
  const hidden = wrong.map(([name, value]) => {
    const inner = Object.entries(value as object).map(([key, each]) => [
      key,
      SECRET_FIELD_SET.has(key) ? REDACTED : each,
    ]);
    return [name, Object.fromEntries(inner)];
  });
  return { ...fields, ...Object.fromEntries(hidden) };
}

const hasSecretField = (value: unknown): boolean =>
  // Of errors only fields that are known are written anyway.
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Error) &&
  Object.keys(value).some((key) => SECRET_FIELD_SET.has(key));

/** The shortest signature, that of HS256: 32 bytes as base64url. */
const RUN_CHARS = 43;

/**
 * The second filter works on the finished line, whatever put the text there. An alternative each:
 * - JSON's escapes, taken first and kept, so that nothing below can cut one in two and break the line;
 * - the fields in which a long random name is what it looks like, kept too: Entra's subjects, RFC 7638's thumbprints;
 * - the credentials of a URL;
 * - a JWT, whole or cut: base64url of `{"` is `eyJ`. Within a word only a long one counts, for there are `KeyJson`s;
 * - a long run of base64url: a signature on its own completes a token whose claims can be guessed.
 */
const SUSPECTS = new RegExp(
  [
    String.raw`(?<kept>\\(?:u[0-9A-Fa-f]{4}|.)|"(?:subject|kid)":"[\w-]{1,255}")`,
    String.raw`(?<scheme>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}:\/\/)(?:\\.|[^\s"\\]){0,1024}@`,
    String.raw`(?:(?<![A-Za-z0-9])eyJ|eyJ(?=[\w-]{12}))[\w-]*(?:\.[\w-]*)*`,
    String.raw`(?<run>[\w-]{${RUN_CHARS},})`,
  ].join('|'),
  'g',
);

/** Random base64url has upper case, lower case and more; a hex digest or a kebab-case name has not. */
const looksRandom = (run: string): boolean => /[A-Z]/.test(run) && /[a-z]/.test(run) && /[\d_-]/.test(run);

const IN_RUN = Uint8Array.from({ length: 128 }, (_, code) => Number(/[\w-]/.test(String.fromCharCode(code))));
const isInRun = (text: string, at: number): boolean => IN_RUN[text.charCodeAt(at)] === 1;

/** Whether there is a run long enough to be a signature: it would cover one of the places that are looked at. */
function hasLongRun(line: string): boolean {
  for (let at = RUN_CHARS - 1; at < line.length; at += RUN_CHARS) {
    if (!isInRun(line, at)) continue;
    let [from, to] = [at, at + 1];
    while (isInRun(line, from - 1)) from--;
    while (isInRun(line, to)) to++;
    if (to - from >= RUN_CHARS) return true;
  }
  return false;
}

/** Replaces whatever has the shape of a token or of a URL's credentials. Valid JSON stays valid. */
export function scrub(line: string): string {
  // Most lines have nothing of the kind, which is quicker to see than to search for.
  if (!line.includes('eyJ') && !line.includes('://') && !hasLongRun(line)) return line;
  return line.replace(SUSPECTS, (match: string, ...rest: unknown[]) => {
    const { kept, scheme, run } = rest.at(-1) as Partial<Record<string, string>>;
    if (kept !== undefined) return match;
    if (scheme !== undefined) return `${scheme}${REDACTED}@`;
    return run === undefined || looksRandom(run) ? REDACTED : match;
  });
}

/** Shortens a line that would be written in pieces: what another process writes could come between them. */
export function whole(line: string): string {
  const fits = (text: string): boolean => Buffer.byteLength(text) <= MAX_PIECE;
  // A character is three bytes at most.
  if (line.length <= MAX_PIECE / 3 || fits(line)) return line;
  const fields: unknown = JSON.parse(line);
  const cut = (most: number) => (_name: string, value: unknown) =>
    typeof value === 'string' && value.length > most ? `${value.slice(0, most).toWellFormed()}…` : value;
  const lines = [1000, 300, 100, 30].map((most) => `${JSON.stringify(fields, cut(most))}\n`);
  return lines.find(fits) ?? `${JSON.stringify({ level: 'error', msg: 'a line of the log was too long' })}\n`;
}

/** The most characters of an error's message and of its stack that are written. */
const MAX_ERROR_CHARS = 4_000;

/** Hidden before it is cut: of a token that was cut in two, nothing would know the pieces. */
const cutText = (text: string): string =>
  text.length <= MAX_ERROR_CHARS ? text : `${scrub(text).slice(0, MAX_ERROR_CHARS).toWellFormed()}…`;

/** What is written of an error. Drivers hang whole commands and packets on theirs, so only known fields pass. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error, message: cutText(String(error)) };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: cutText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: cutText(error.stack) }),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(cause, depth + 1) }),
  };
}

/**
 * Makes a logger.
 * @param options `name`: who writes, in each line; `destination`: where to, standard output if not named;
 * `isShared`: other processes write there, too
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly name: string;
  readonly destination?: DestinationStream;
  readonly isShared?: boolean;
}): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: hideInner },
    serializers: { err: (error: unknown) => describeError(error), error: (error: unknown) => describeError(error) },
    redact: { paths: [...SECRET_FIELDS], censor: REDACTED },
    // In this order: of a token that was cut in two, nothing would know the pieces.
    hooks: { streamWrite: options.isShared ? (line: string) => whole(scrub(line)) : scrub },
  };
  return pino(settings, options.destination ?? descriptor(1));
}
