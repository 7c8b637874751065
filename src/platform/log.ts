// The logger: JSON lines without tokens and passwords, each short enough to be written in one piece.

import { type DestinationStream, pino } from 'pino';
import { PIPE_BUF, standardStream } from './log-destination.js';
import type { Logger } from './logger.js';
import { REDACTED, redactByShape, redactInner, SECRET_FIELDS } from './redaction.js';

export type { Logger, LogWrite } from './logger.js';

const MAX_CAUSES = 4;

/** Makes a text of a line of JSON. Both end with a line feed. */
export type LineFormat = (line: string) => string;

/** From most output to none. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** A client's request id if it is short and safe to log. Undefined: it is not, so make a new one. */
export const acceptRequestId = (given: unknown): string | undefined =>
  typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;

/** Shortens a line that is too long for one atomic write: the output of another process could come in between. */
export function fitPipeBuf(line: string): string {
  const fits = (text: string): boolean => Buffer.byteLength(text) <= PIPE_BUF;
  // A UTF-16 code unit takes three bytes at most.
  if (line.length <= PIPE_BUF / 3 || fits(line)) return line;
  const fields: unknown = JSON.parse(line);
  const cut = (most: number) => (_name: string, value: unknown) =>
    typeof value === 'string' && value.length > most ? `${value.slice(0, most).toWellFormed()}…` : value;
  const lines = [1000, 300, 100, 30].map((most) => `${JSON.stringify(fields, cut(most))}\n`);
  return lines.find(fits) ?? `${JSON.stringify({ level: 'error', msg: 'a line of the log was too long' })}\n`;
}

/** The most characters of an error's message, and of its stack, in the log. */
const MAX_ERROR_CHARS = 4_000;

/** Redacts before it cuts, because no filter recognizes the pieces of a token that was cut in two. */
const cutText = (text: string): string =>
  text.length <= MAX_ERROR_CHARS ? text : `${redactByShape(text).slice(0, MAX_ERROR_CHARS).toWellFormed()}…`;

/**
 * The known fields of an error. Drivers attach whole commands and packets to theirs, so all other fields are dropped.
 */
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

let second = { startMs: Number.NaN, text: '' };

/** The field `time` (ISO 8601, UTC). The text of a second is cached: pino's own time takes a fifth of a line's time. */
function timeField(): string {
  const nowMs = Date.now();
  const ms = nowMs % 1000;
  // Up to the dot before the milliseconds.
  if (nowMs - ms !== second.startMs) second = { startMs: nowMs - ms, text: new Date(nowMs).toISOString().slice(0, -4) };
  return `,"time":"${second.text}${`${ms}`.padStart(3, '0')}Z"`;
}

/**
 * Makes a logger.
 * @param options `name`: the program, in each line; `destination`: default standard output; `isShared`: other processes
 * write to the same destination
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly name: string;
  readonly destination?: DestinationStream;
  readonly isShared?: boolean;
  /** Makes another text of each line, once it is redacted. Default: JSON. */
  readonly format?: LineFormat | undefined;
}): Logger {
  const finish = options.isShared ? (line: string) => fitPipeBuf(redactByShape(line)) : redactByShape;
  const { format } = options;
  const settings = {
    name: options.name,
    level: options.level,
    timestamp: timeField,
    formatters: { level: (label: string) => ({ level: label }), log: redactInner },
    serializers: { err: (error: unknown) => describeError(error), error: (error: unknown) => describeError(error) },
    redact: { paths: [...SECRET_FIELDS], censor: REDACTED },
    // Redacts before it cuts, because no filter recognizes the pieces of a token that was cut in two.
    hooks: { streamWrite: format ? (line: string) => format(finish(line)) : finish },
  };
  return pino(settings, options.destination ?? standardStream(1));
}
