// What a process of the program prints: kept whole, and checked after each test.
// No line may be there that its log, or a command's own words, did not write.

import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const READ_BYTES = 64 * 1024;
/** The commands that run until they are stopped: they print JSON alone. */
const LONG_RUNNING: readonly string[] = ['dev', 'serve', 'worker', 'gateway'];
/** What `dev` prints on standard output is its result, as with the commands that end by themselves. */
const WITH_RESULT = (command: string): boolean => command === 'dev' || !LONG_RUNNING.includes(command);
/** What is said to the user of the command line; further lines of one message are set in. */
const MESSAGE = /^(?:latchkey: | {2})/;
const USAGE_CODE = 2;
/** Lines of one process that are shown. */
const MOST_LINES = 20;

/** Whether a line is one of the program's log. */
export function isLogLine(line: string): boolean {
  try {
    const { level, time, pid, hostname, name, msg } = JSON.parse(line) as Record<string, unknown>;
    const isOurs = name === 'latchkey' || name === 'latchkey-gateway';
    return isOurs && [level, time, hostname, msg].every((each) => typeof each === 'string') && typeof pid === 'number';
  } catch {
    return false;
  }
}

/** Whether a line is one of the log with `LOG_FORMAT=pretty`, or a further one of an error. */
const isPrettyLine = (line: string): boolean =>
  /^(?:\d\d:\d\d:\d\d (?:TRACE|DEBUG|INFO |WARN |ERROR) | {2})/.test(line);

/** How a process has ended, as far as it has. */
export interface Ended {
  readonly exitCode: number | null;
  readonly signalCode: string | null;
}

/**
 * The lines of both streams that no command may print.
 * @param ended once the process has ended, a last line without a line feed counts too
 */
export function foreignLines(command: string, stdout: string, stderr: string, ended: Ended): string[] {
  const linesOf = (text: string): string[] => {
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    return last !== '' && ended.exitCode !== null ? [...lines, last] : lines;
  };
  const mayTalk = !LONG_RUNNING.includes(command) || ended.exitCode === USAGE_CODE;
  const onStdout = WITH_RESULT(command) ? [] : linesOf(stdout).filter((line) => !isLogLine(line));
  const onStderr = linesOf(stderr).filter((line) => !isLogLine(line) && !(mayTalk && MESSAGE.test(line)));
  // An empty line parts what was written before a failed write from what was written after it.
  return [...onStdout, ...onStderr].filter((line) => line !== '');
}

/** Text that a stream brings. */
export function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/**
 * A file for standard error. A pipe that Node makes is a socket, and that cannot be opened by its number, which is how the
 * program keeps native code from it.
 */
export class OutputFile {
  readonly fd: number;
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #at = 0;
  #isClosed = false;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-stderr-'));
    // Each writer appends: the processes of one service have descriptors of their own.
    this.fd = openSync(join(folder, 'stderr'), 'a+');
    rmSync(folder, { recursive: true });
  }

  text(): string {
    const buffer = Buffer.alloc(READ_BYTES);
    while (!this.#isClosed) {
      const bytes = readSync(this.fd, buffer, 0, READ_BYTES, this.#at);
      if (bytes === 0) break;
      this.#at += bytes;
      this.#text += this.#decoder.write(buffer.subarray(0, bytes));
    }
    return this.#text;
  }

  /** Keeps the text, and gives the file back. */
  close(): void {
    this.text();
    if (!this.#isClosed) closeSync(this.fd);
    this.#isClosed = true;
  }
}

interface Watched {
  readonly command: string;
  /** Whether its log is text. */
  readonly isPretty: boolean;
  readonly child: Ended;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

const watched = new Set<Watched>();

/** Has a process checked after each test, and once more after it has ended. */
export const watchOutput = (process: Watched): void => void watched.add(process);

/** The lines that were found so far, for the end of the file: a root hook that fails after a test would end the run there. */
const found: string[] = [];

/** Looks for lines that no command may print, of all processes. @param title the test that has just run */
export function checkOutputs(title: string): void {
  for (const each of watched) {
    const { command, isPretty, child, stdout, stderr } = each;
    const foreign = foreignLines(command, stdout(), stderr(), child);
    const lines = isPretty ? foreign.filter((line) => !isPrettyLine(line)) : foreign;
    if (lines.length > 0) found.push(`\`latchkey ${command}\` in "${title}":`, ...lines.slice(0, MOST_LINES));
    if (lines.length > 0 || child.exitCode !== null || child.signalCode !== null) watched.delete(each);
  }
}

/** @throws Error if a process has printed a line that no log wrote, since this was last asked */
export function expectNoForeignLines(): void {
  const lines = found.splice(0);
  if (lines.length > 0) throw new Error(`lines that no log wrote:\n${lines.join('\n')}`);
}
