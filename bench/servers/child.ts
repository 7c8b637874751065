// The processes under test: each on the server's core, its output in a file, as an operator would run it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endAtExit } from '../../test/support/children.js';
import { V8_OPTIONS } from '../../test/support/v8-options.js';
import { onAnyCore, onServerCore } from '../machine/cores.js';

const START_MS = 120_000;
const COMPLAINT = /"level":"(?:warn|error)"/;
const MOST_COMPLAINTS = 3;

/** Where servers write their processor profiles when they end, if that is asked for. */
const { BENCH_PROFILE: profiles } = process.env;
export const PROFILED: readonly string[] = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];

export interface ChildOptions {
  /** The program and its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly folder: string;
  /** Whether it may use every core. */
  readonly everyCore?: boolean;
  /** Whether it runs beside the load, because another server is measured. */
  readonly besideLoad?: boolean;
  /** What its line says once it can be called; the line is JSON, and has the address. */
  readonly ready: string;
}

export interface Child {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** From its start until it could be called, ms. */
  readonly startedInMs: number;
  /** The last warnings and errors in its log. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

let started = 0;

/** Those that are whole. */
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

export async function startChild(options: ChildOptions): Promise<Child> {
  const path = join(options.folder, `output-${++started}`);
  const output = openSync(path, 'w');
  const [command = '', ...args] = placed(options, [process.execPath, ...V8_OPTIONS, ...options.args]);
  const env = { PATH: process.env['PATH'], NODE_ENV: 'production', ...options.env };
  const startMs = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', output, output] });
  closeSync(output);
  endAtExit(child);
  const { host, port } = await readyLine(child, path, options.ready);
  return {
    pid: child.pid ?? 0,
    host,
    port,
    startedInMs: performance.now() - startMs,
    complaints: () =>
      linesOf(path)
        .filter((line) => COMPLAINT.test(line))
        .slice(-MOST_COMPLAINTS),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** A process keeps to the cores of the one that starts it, unless the options say otherwise. */
function placed({ everyCore, besideLoad }: ChildOptions, command: readonly string[]): readonly string[] {
  if (besideLoad) return command;
  return everyCore ? onAnyCore(command) : onServerCore(command);
}

interface Listening {
  readonly host: string;
  readonly port: number;
}

async function readyLine(child: ChildProcess, path: string, ready: string): Promise<Listening> {
  const untilMs = performance.now() + START_MS;
  for (;;) {
    const lines = linesOf(path);
    const found = lines.find((line) => line.startsWith('{') && line.includes(`"msg":"${ready}"`));
    if (found) return addressIn(JSON.parse(found));
    if (child.exitCode !== null || performance.now() > untilMs) {
      child.kill('SIGKILL');
      throw new Error(`a server did not say "${ready}":\n${lines.join('\n')}`);
    }
    await sleep(2);
  }
}

/** The service names all its addresses, the gateway its only one. */
function addressIn(line: { addresses?: readonly Listening[]; address?: string; port?: number }): Listening {
  const { host = line.address ?? '', port = line.port ?? 0 } = line.addresses?.[0] ?? {};
  return { host, port };
}
