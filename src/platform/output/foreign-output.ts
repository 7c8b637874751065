// The output of libraries: redirected from the console, both standard streams and Node's warnings to the log.
//
// A library may print anything, also a caller's credential, and no filter can recognize every credential. So only the
// beginning of a text is logged, up to the first value. An error is logged like every error.

import { Writable } from 'node:stream';
import { createLogger, type LineFormat, type Logger } from '../log.js';
import { standardStream } from '../log-destination.js';
import { type Level, Repeats } from './repeats.js';

/** Variables that make libraries print everything that they send and receive, including passwords and tokens. */
const TRACING = ['DEBUG', 'GRPC_TRACE', 'GRPC_NODE_TRACE', 'GRPC_VERBOSITY', 'GRPC_NODE_VERBOSITY'] as const;
const MOST_CHARS = 100;
const MOST_WARNING_CHARS = 500;
const PRINTED = 'a library has printed something';

/** The log until a command has its own, and in commands that have none. */
const early = createLogger({ name: 'latchkey', level: 'warn', destination: standardStream(2) });
let log: Logger = early;
/** The format of the lines that `writeLastWords` writes; undefined: JSON. */
let lineFormat: LineFormat | undefined;
/** One for each source, so that many kinds of lines in one do not use up the limit of the others. */
const texts = new Repeats(() => log);
const errors = new Repeats(() => log);
const warnings = new Repeats(() => log);
const disabled: string[] = [];

/** The part of a text without values: its first line, up to the first character that may begin a value. */
export function outline(text: string): string {
  const [line = ''] = text.trimStart().split('\n', 1);
  const [words = ''] = line.replace(/^(?:\[[A-Z]+\]|[EID](?= )) ?/, '').split(/[\d:=("'`{[<\\/@]|[\w-]{30}/, 1);
  return words.slice(0, MOST_CHARS).toWellFormed().trim();
}

/** Redirects all output of this process. Call it once, before libraries are loaded. @param env the environment */
export function takeOverOutput(env: NodeJS.ProcessEnv): void {
  for (const name of TRACING) {
    if (env[name] === undefined) continue;
    disabled.push(name);
    delete env[name];
  }
  takeStream('stdout', 1, 'info');
  takeStream('stderr', 2, 'warn');
  takeConsole();
  // Node's own listener writes to the file descriptor.
  process.removeAllListeners('warning');
  process.on('warning', writeWarning);
  process.on('uncaughtException', (err, origin) => {
    writeLastWords({ err, origin }, 'an error that nothing caught: the process ends');
    process.exit(1);
  });
}

/** Redirects all output to this log from now on. */
export function logOutputTo(other: Logger): void {
  log = other;
  if (disabled.length > 0) {
    log.warn({ variables: disabled.splice(0) }, 'variables have no effect: libraries would print secrets');
  }
}

/** Writes the last lines of the process like all others. */
export function formatLastWords(format: LineFormat | undefined): void {
  lineFormat = format;
}

/** Logs why the process ends: at every LOG_LEVEL, to standard error. @param name the program */
export function writeLastWords(fields: Readonly<Record<string, unknown>>, message: string, name = 'latchkey'): void {
  const options = { name, level: 'error', destination: standardStream(2), isShared: true, format: lineFormat } as const;
  createLogger(options).error(fields, message);
}

/** Replaces a stream of the process. The original is never created, because it would make its pipe non-blocking. */
function takeStream(name: 'stdout' | 'stderr', fd: 1 | 2, level: Level): void {
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, done) => {
      writeText(level, String(chunk));
      done();
    },
  });
  Object.defineProperty(process, name, { value: Object.assign(stream, { fd }), configurable: true, enumerable: true });
}

function takeConsole(): void {
  const levels = { trace: 'warn', debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'warn' } as const;
  for (const [name, level] of Object.entries(levels)) {
    console[name as keyof typeof levels] = (...given: readonly unknown[]): void => {
      const error = given.find((each) => each instanceof Error);
      if (error) writeError(level, error);
      else writeText(level, typeof given[0] === 'string' ? given[0] : '');
    };
  }
}

function writeText(level: Level, text: string): void {
  const detail = outline(text);
  texts.write(detail, level, detail === '' ? {} : { detail }, PRINTED);
}

function writeError(level: Level, err: Error): void {
  const { code } = err as { code?: unknown };
  errors.write(`${err.name} ${typeof code === 'object' ? '' : code}`, level, { err }, PRINTED);
}

function writeWarning(warning: Error): void {
  const { name, message, code } = warning as Error & { code?: string };
  const detail = message.slice(0, MOST_WARNING_CHARS).toWellFormed();
  warnings.write(`${name} ${code}`, 'warn', { warning: name, code, detail }, 'a warning of Node');
}
