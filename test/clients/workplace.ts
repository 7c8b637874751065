// The folder in which the commands of one section run, with the tools that they need.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { answerWithin } from '../support/waiting.js';

/** How long one script may take, ms: a cold cache downloads some hundred megabytes. */
const SCRIPT_MS = 280_000;
/** What the tools print without a network. None of it can come from a call of a service on 127.0.0.1. */
const OFFLINE =
  /failure in name resolution|getaddrinfo|ENOTFOUND|EAI_AGAIN|no such host|unknown host|network is unreachable/i;

/** npm tries for minutes to reach a registry that is away, and asks it for more than the packages. */
const QUICK_NPM = {
  ...{ npm_config_prefer_offline: 'true', npm_config_fetch_retries: '1', npm_config_fetch_retry_mintimeout: '500' },
  ...{ npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' },
};

/** pip compiles what it installs as a whole; Python compiles what it runs. */
const QUICK_PIP = { PIP_NO_COMPILE: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' };

/** Maven runs for seconds: less than it takes until code that is compiled better pays. */
const QUICK_MAVEN = { MAVEN_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };

/** Code that runs once: what the optimizer and the debugger's tables take is a third of what a compilation takes. */
const QUICK_GO = '"-gcflags=all=-N -l" -ldflags=-w';

/** The commands cannot run here; the message says why. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

export class Workplace {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  /**
   * @param env beside the process's own
   * @param folder default: an empty one of its own, gone after `remove`
   */
  constructor(env: Readonly<Record<string, string>>, folder = mkdtempSync(join(tmpdir(), 'latchkey-client-'))) {
    this.folder = folder;
    this.#env = { ...env, ...goSettings(folder) };
  }

  /** @param mode of a file that is new */
  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content, { mode });
  }

  /**
   * Runs a script to its end.
   * @returns its standard output
   * @throws CannotRun without a network; Error, with all output, if the script fails
   */
  async run(script: string): Promise<string> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.folder,
      env: { ...process.env, ...QUICK_NPM, ...QUICK_PIP, ...QUICK_MAVEN, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what the script has started ends with it.
      detached: true,
    });
    const end = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
    const closed = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (!(await answerWithin(SCRIPT_MS, closed))) end();
    const [stdout, stderr, [code]] = await closed;
    if (code === 0) return stdout;
    if (OFFLINE.test(stdout + stderr)) throw new CannotRun('there is no network');
    throw new Error(`the commands ended with ${code}:\n${stdout}\n${stderr}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a tool says of its version; undefined: it is not there, or does not run. */
function versionOf(tool: string): string | undefined {
  const { status, stdout } = spawnSync(tool, [tool === 'go' ? 'version' : '--version'], { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

/** Whether a tool is there and runs. */
export const runs = (tool: string): boolean => versionOf(tool) !== undefined;

/** @returns the versions of the tools. @throws CannotRun unless every tool is there and runs */
export function needTools(...tools: readonly string[]): string[] {
  const versions = tools.map(versionOf);
  const missing = tools.filter((_, n) => versions[n] === undefined);
  if (missing.length > 0) throw new CannotRun(`${missing.join(' and ')} cannot be run here`);
  return versions.map((version) => version ?? '');
}

/** Go installs programs into the folder, keeps its cache of modules, and compiles quickly. */
function goSettings(folder: string): Record<string, string> {
  const { status, stdout } = spawnSync('go', ['env', 'GOMODCACHE', 'GOFLAGS'], { encoding: 'utf8' });
  if (status !== 0) return {};
  const [modules = '', flags = ''] = stdout.split('\n');
  return { GOMODCACHE: modules, GOPATH: join(folder, 'go'), GOBIN: '', GOFLAGS: `${flags} ${QUICK_GO}`.trim() };
}
