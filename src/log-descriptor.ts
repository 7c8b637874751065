// Standard output and standard error as destinations of the log: what is written when, and what if it cannot be.

import { hostname } from 'node:os';
import { type DestinationStream, pino } from 'pino';
import { standardError } from './output/standard-error.js';

/** How often a reader that has no room is waited for, 100 ms each, before the line is dropped. */
const MAX_WAITS = 3;
/** What Linux writes to a pipe in one piece (`PIPE_BUF`), bytes. */
export const MAX_PIECE = 4096;

/** What pino tells a destination of each line that wants to know. */
const WANTS_LEVELS = Symbol.for('pino.metadata');
const { warn: WARN = 40 } = pino.levels.values;

/**
 * Standard output (1) or standard error (2) as a destination. What one turn of the event loop writes goes out in few pieces,
 * for a system call costs as much as a line; warnings and errors at once, with all that was said before, for they may be
 * the last words. What cannot be written is dropped, for a log must not take down what it is about: not on a full disk, nor
 * without a reader. The first time is noted on standard error, in a line of the log.
 */
export function descriptor(fd: 1 | 2): DestinationStream {
  const known = descriptors.get(fd) ?? open(fd);
  descriptors.set(fd, known);
  return known;
}

/** One each: what several loggers say stays in order. */
const descriptors = new Map<1 | 2, DestinationStream>();

function open(fd: 1 | 2): DestinationStream {
  const write = lenient(fd);
  let gathered = '';
  let bytes = 0;
  let hasEnded = false;
  const flush = (): void => {
    const piece = gathered;
    gathered = '';
    bytes = 0;
    if (piece !== '') write(piece);
  };
  process.on('exit', () => {
    hasEnded = true;
    flush();
  });
  return {
    [WANTS_LEVELS]: true,
    lastLevel: 0,
    write(line: string) {
      const length = Buffer.byteLength(line);
      // Longer ones would be written in parts: another process may write between them, or a reader have no room.
      if (bytes + length > MAX_PIECE) flush();
      if (gathered === '') setImmediate(flush);
      gathered += line;
      bytes += length;
      if (this.lastLevel >= WARN || hasEnded) flush();
    },
  } as DestinationStream & { lastLevel: number };
}

/** Writes to standard output or error, and drops what cannot be written. */
function lenient(fd: 1 | 2): (piece: string) => void {
  let failing = false;
  let waits = 0;
  let noted = false;
  const target = (): number => (fd === 2 ? standardError() : fd);
  const opened = (to: number) => {
    // Synchronous, so that a failure is known with the piece, and nothing is left to be flushed at the end.
    const stream = pino.destination({ fd: to, sync: true, retryEAGAIN: () => waits-- > 0 });
    return stream.on('error', (error: Error) => {
      failing = true;
      if (!noted) note(error.message);
      noted = true;
    });
  };
  let openedOn = target();
  let stream = opened(openedOn);
  const reopen = (): void => {
    openedOn = target();
    stream = opened(openedOn);
  };
  return (piece) => {
    if (openedOn !== target()) reopen();
    const afterFailure = failing;
    failing = false;
    // While it fails, nothing is waited for: each wait holds up the whole process.
    waits = afterFailure ? 0 : MAX_WAITS;
    // The piece before may have been written in part.
    stream.write(afterFailure ? `\n${piece}` : piece);
    // The stream keeps what it could not write, without bound: another takes its place.
    if (failing) reopen();
  };
}

/** Writes on standard error, if that can be written, that lines are lost. */
function note(detail: string): void {
  const stream = pino.destination({ fd: standardError(), sync: true, retryEAGAIN: () => false });
  stream.on('error', () => {});
  const place = { level: 'error', time: new Date().toISOString(), pid: process.pid, hostname: hostname() };
  const line = { ...place, name: 'latchkey', detail, msg: 'lines of the log are dropped: it cannot be written' };
  stream.write(`${JSON.stringify(line)}\n`);
}
