// The real processes that tests call: `latchkey serve`, `gateway` and `dev`, on ports that the system chooses.
// Tests start the program here alone, where both of its streams are watched.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endAtExit } from './children.js';
import { collect, OutputFile, watchOutput } from './process-output.js';
import { V8_OPTIONS } from './v8-options.js';
import { until } from './waiting.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const SHIFTED_CLOCK = new URL('./shifted-clock.js', import.meta.url).href;
/** How long a process may take until it is ready, on a machine that has much other work, ms. */
const START_MS = 30_000;

/** A secret for tests, long enough for HS256. */
export const JWT_SECRET = 'a secret for tests alone, of more than 32 bytes';
/** The login back end's credential in tests. */
export const ISSUER_TOKEN = 'a credential of the login back end, for tests alone';

/** A program that runs, in whatever process. */
export interface Running {
  /** `host:port` */
  readonly address: string;
  /** Everything printed so far, log lines included. */
  output(): string;
  /** The log lines so far. */
  lines(): Record<string, unknown>[];
  /** Ends it in order. @returns the exit code */
  stop(): Promise<number | null>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** A program in a process of its own. */
export interface Started extends Running {
  readonly child: ChildProcess;
}

export interface StartOptions {
  readonly env: Readonly<Record<string, string>>;
  /** How far the process's own clock is off, ms. */
  readonly clockMs?: number;
  /** Modules, by their URLs, that the process loads before anything else. */
  readonly preloads?: readonly string[];
  /** Whether it leads a group of processes, as one that a terminal has started. */
  readonly leads?: boolean;
  /** Another copy of the program. */
  readonly main?: string;
  /** Whether the test measures the start. */
  readonly isMeasured?: boolean;
  /** How long it may take until it is ready, ms. */
  readonly readyMs?: number;
}

/** Starts `latchkey serve` on a port of its own. */
export const startServe = (options: StartOptions): Promise<Started> =>
  start('serve', 'service listening', {
    ...options,
    env: { GRPC_ADDRESS: '127.0.0.1:0', ISSUER_TOKEN, ...options.env },
  });

/** Starts `latchkey gateway` on a port of its own, in front of a service. */
export const startGateway = (service: string, options: Partial<StartOptions> = {}): Promise<Started> =>
  start('gateway', 'gateway listening', {
    ...options,
    env: { HTTP_ADDRESS: '127.0.0.1:0', AUTH_SERVICE_ADDRESS: service, ...options.env },
  });

/** How the program is started. */
export interface LaunchOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Whether the test measures the start: then V8 has its own budget, as for users. */
  readonly isMeasured?: boolean;
  /** Options of Node, before the program. */
  readonly nodeOptions?: readonly string[];
  readonly main?: string;
  readonly leads?: boolean;
  /** Whether all its streams are a terminal, whose text is on standard output. */
  readonly isOnTerminal?: boolean;
  readonly stdin?: 'pipe' | 'ignore';
  /** Default: a pipe that is collected. */
  readonly stdout?: 'pipe' | 'ignore' | number;
  /** Default: a file. */
  readonly stderr?: 'pipe' | 'ignore' | number;
}

export interface Launched {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
}

/** Starts the program. What it prints is checked after the test, as far as it can be read. */
export function launch(args: readonly string[], options: LaunchOptions): Launched {
  const { env, nodeOptions = [], main = MAIN, stdin = 'ignore', stdout = 'pipe', leads = false } = options;
  const file = options.stderr === undefined ? new OutputFile() : undefined;
  const v8Options = options.isMeasured ? [] : V8_OPTIONS;
  const program = [process.execPath, ...v8Options, ...nodeOptions, main, ...args];
  const [command = '', ...rest] = options.isOnTerminal ? ['script', '-qefc', program.join(' '), '/dev/null'] : program;
  const child = spawn(command, rest, {
    // The default of `dev` is one port of the machine, which several tests cannot share.
    env: { PATH: process.env['PATH'], ...(args[0] === 'dev' && { METRICS_ADDRESS: '127.0.0.1:0' }), ...env },
    stdio: [stdin, stdout, file?.fd ?? options.stderr ?? 'ignore'],
    detached: leads,
  });
  const text = collect(child.stderr);
  const launched = { child, stdout: collect(child.stdout), stderr: file ? () => file.text() : text };
  child.once('close', () => file?.close());
  endAtExit(child);
  watchOutput({ command: args[0] ?? '', isPretty: env['LOG_FORMAT'] === 'pretty', ...launched });
  return launched;
}

/** How a command has ended, and what it has printed. */
export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, in a process of its own. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<CommandEnd> {
  const { child, stdout, stderr } = launch(args, { env, stdin: 'pipe' });
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Starts a command and waits for a line of its log. */
export async function start(command: string, readyMessage: string, options: StartOptions): Promise<Started> {
  const { preloads = [], leads = false, isMeasured = false } = options;
  const clock = options.clockMs === undefined ? [] : [SHIFTED_CLOCK];
  const nodeOptions = [...clock, ...preloads].flatMap((url) => ['--import', url]);
  const env = { CLOCK_SHIFT_MS: `${options.clockMs ?? 0}`, ...options.env };
  const { main = MAIN } = options;
  const { child, stdout, stderr } = launch([command], { env, nodeOptions, main, leads, isMeasured });
  const output = (): string => stdout() + stderr();
  // A line may still be under way: only what its newline has followed is whole.
  const whole = (text: string): string[] => text.split('\n').slice(0, -1);
  const lines = (): Record<string, unknown>[] =>
    [...whole(stdout()), ...whole(stderr())].filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const closed = once(child, 'close');
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await closed;
    return child.exitCode;
  };
  const line = await ready(child, lines, readyMessage, output, options.readyMs ?? START_MS);
  const { host, address = host, port } = addressIn(line);
  return {
    child,
    address: `${address}:${port}`,
    output,
    lines,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

function addressIn(line: Record<string, unknown>): { host?: string; address?: string; port: number } {
  const { addresses } = line as { addresses?: { host: string; port: number }[] };
  return addresses?.[0] ?? (line as { address: string; port: number });
}

async function ready(
  child: ChildProcess,
  lines: () => Record<string, unknown>[],
  message: string,
  output: () => string,
  readyMs: number,
): Promise<Record<string, unknown>> {
  let line: Record<string, unknown> | undefined;
  const look = (): boolean => {
    line = lines().find((each) => each['msg'] === message);
    return line !== undefined || child.exitCode !== null;
  };
  await until(look, readyMs).catch(() => {});
  if (line) return line;
  child.kill('SIGKILL');
  throw new Error(`the process did not say "${message}" (exit code ${child.exitCode}):\n${output()}`);
}
