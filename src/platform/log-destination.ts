// Standard output and standard error as destinations of the log: when lines are written, and when they are dropped.

import { hostname } from 'node:os';
import { type DestinationStream, pino } from 'pino';
import { standardError } from './output/standard-error.js';

/** How many times, 100 ms each, a write waits for a full pipe before the line is dropped. */
const MAX_WAITS = 3;
/** The most bytes that Linux writes to a pipe atomically. */
export const PIPE_BUF = 4096;

/** With this property pino sets the level of each line on the destination. */
const WANTS_LEVELS = Symbol.for('pino.metadata');
const { warn: WARN = 40 } = pino.levels.values;

/**
 * Standard output (1) or standard error (2) as a destination. Lines of one turn of the event loop are written together,
 * because a system call costs as much as a line. A warning or an error is written at once with all lines before it,
 * because the process may be about to end. A line that cannot be written is dropped: a full disk or a missing reader
 * must not stop the service. The first dropped line is reported on standard error.
 */
export function standardStream(fd: 1 | 2): DestinationStream {
  const known = destinations.get(fd) ?? makeDestination(fd);
  destinations.set(fd, known);
  return known;
}

/** One destination for each stream, so that the lines of several loggers stay in order. */
const destinations = new Map<1 | 2, DestinationStream>();

function makeDestination(fd: 1 | 2): DestinationStream {
  const write = droppingErrors(fd);
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
      // A longer piece is not written atomically: another process may write in between, or the pipe may be full.
      if (bytes + length > PIPE_BUF) flush();
      if (gathered === '') setImmediate(flush);
      gathered += line;
      bytes += length;
      if (this.lastLevel >= WARN || hasEnded) flush();
    },
  } as DestinationStream & { lastLevel: number };
}

/** Writes to standard output or standard error, and drops a piece that cannot be written. */
function droppingErrors(fd: 1 | 2): (piece: string) => void {
  let failing = false;
  let waits = 0;
  let reported = false;
  const target = (): number => (fd === 2 ? standardError() : fd);
  const opened = (to: number) => {
    // Synchronous, so that a failure is known at once, and nothing remains to be flushed when the process ends.
    const stream = pino.destination({ fd: to, sync: true, retryEAGAIN: () => waits-- > 0 });
    return stream.on('error', (error: Error) => {
      failing = true;
      if (!reported) reportDropped(error.message);
      reported = true;
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
    // After a failure, do not wait again: each wait blocks the whole process.
    waits = afterFailure ? 0 : MAX_WAITS;
    // The piece before may have been written only in part.
    stream.write(afterFailure ? `\n${piece}` : piece);
    // The stream keeps unwritten bytes without limit, so a new stream replaces it.
    if (failing) reopen();
  };
}

/** Reports on standard error, if possible, that lines are dropped. */
function reportDropped(detail: string): void {
  const stream = pino.destination({ fd: standardError(), sync: true, retryEAGAIN: () => false });
  stream.on('error', () => {});
  const place = { level: 'error', time: new Date().toISOString(), pid: process.pid, hostname: hostname() };
  const line = { ...place, name: 'latchkey', detail, msg: 'the log cannot be written: its lines are dropped' };
  stream.write(`${JSON.stringify(line)}\n`);
}
