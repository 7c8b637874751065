// The example validate_tokens.py, by latchkey_feed.py, as a running process: it is asked about tokens by lines, and answers by lines.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class FeedClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  /** @param folder where the commands of the example's README were run */
  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn('venv/bin/python', ['validate_tokens.py'], { cwd: folder, env: { ...process.env, ...env } });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.on('data', (bytes) => {
      this.#errors += bytes;
    });
  }

  /** What it prints of a token. One at a time. */
  async validate(token: string, strict = false): Promise<string> {
    this.#child.stdin.write(`${token}${strict ? ' strict' : ''}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`it ended: ${this.#errors}`);
    return value;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** @returns what it wrote to standard error. @throws Error if it does not end well */
  async stop(): Promise<string> {
    this.resume();
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : [this.#child.exitCode];
    this.#child.stdin.end();
    const [code] = await ended;
    if (code !== 0) throw new Error(`it ended with ${code}: ${this.#errors}`);
    return this.#errors;
  }
}
