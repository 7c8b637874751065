// What code that is not ours prints: taken from the console, both streams and Node's warnings, and written to the log.
//
// A library may print anything, a caller's credential too, which no shape tells from other words. So of a text only its
// beginning is written, up to where values begin; of an error what the log writes of every error.

import { Writable } from 'node:stream';
import { createLogger, type Logger } from '../log.js';
import { descriptor } from '../log-descriptor.js';
import { type Level, Repeats } from './repeats.js';

/** Variables that make libraries print what they send and receive, passwords and tokens too. */
const TRACING = ['DEBUG', 'GRPC_TRACE', 'GRPC_NODE_TRACE', 'GRPC_VERBOSITY', 'GRPC_NODE_VERBOSITY'] as const;
const MOST_CHARS = 100;
const MOST_WARNING_CHARS = 500;
const PRINTED = 'a library has printed something';

/** Before a command has a log of its own, and in commands that have none. */
const early = createLogger({ name: 'latchkey', level: 'warn', destination: descriptor(2) });
let log: Logger = early;
/** Apart: many kinds of one of them leave the others their room. */
const texts = new Repeats(() => log);
const errors = new Repeats(() => log);
const warnings = new Repeats(() => log);
const disabled: string[] = [];

/** What of a text holds no values: its first line up to the first sign that begins one. */
export function outline(text: string): string {
  const [line = ''] = text.trimStart().split('\n', 1);
  const [words = ''] = line.replace(/^(?:\[[A-Z]+\]|[EID](?= )) ?/, '').split(/[\d:=("'`{[<\\/@]|[\w-]{30}/, 1);
  return words.slice(0, MOST_CHARS).toWellFormed().trim();
}

/** Takes over all that this process prints. To be called once, before libraries are loaded. @param env its environment */
export function takeOverOutput(env: NodeJS.ProcessEnv): void {
  for (const name of TRACING) {
    if (env[name] === undefined) continue;
    disabled.push(name);
    delete env[name];
  }
  takeStream('stdout', 1, 'info');
  takeStream('stderr', 2, 'warn');
  takeConsole();
  // The listener of Node itself prints to the descriptor.
  process.removeAllListeners('warning');
  process.on('warning', writeWarning);
  process.on('uncaughtException', (err, origin) => {
    writeLastWords({ err, origin }, 'an error that nothing caught: the process ends');
    process.exit(1);
  });
}

/** From now on it is this log that is written to. */
export function logOutputTo(other: Logger): void {
  log = other;
  if (disabled.length > 0) {
    log.warn({ variables: disabled.splice(0) }, 'variables have no effect: libraries would print secrets');
  }
}

/** Writes why the process ends: at every LOG_LEVEL, to standard error. @param name who writes */
export function writeLastWords(fields: Readonly<Record<string, unknown>>, message: string, name = 'latchkey'): void {
  createLogger({ name, level: 'error', destination: descriptor(2), isShared: true }).error(fields, message);
}

/** Puts a stream in the place of one of the process. That one is never made: it would set its pipe to not wait. */
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
