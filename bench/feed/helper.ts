// A process that a section of the bench starts: it gets one message after the other, and answers each.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { endAtExit } from '../../test/support/children.js';
import { V8_OPTIONS } from '../../test/support/v8-options.js';

export class Helper {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Starts a program.
   * @param first its first message
   * @param options for Node
   */
  static async start(program: URL, first: object, options: readonly string[] = []): Promise<Helper> {
    const child = fork(program, { serialization: 'advanced', execArgv: [...V8_OPTIONS, ...options] });
    endAtExit(child);
    const helper = new Helper(child);
    await helper.ask(first);
    return helper;
  }

  /** Sends a message, and resolves with the answer. @throws Error if it ends before */
  async ask<Answer>(what: object | string): Promise<Answer> {
    const ended = new AbortController();
    const gone = once(this.#child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('a process of the bench ended: what it printed says why');
    });
    const answered = once(this.#child, 'message', { signal: ended.signal }) as Promise<[Answer]>;
    this.#child.send(what);
    try {
      const [answer] = await Promise.race([answered, gone]);
      return answer;
    } finally {
      gone.catch(() => {});
      answered.catch(() => {});
      ended.abort();
    }
  }

  /** Sends a message that has no answer. */
  send(what: object | string): void {
    this.#child.send(what);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Of a program that was started so: takes messages, and answers. */
export function answering(answer: (message: never) => Promise<unknown>): void {
  process.on('message', async (message) => {
    const result = await answer(message as never);
    if (result !== undefined) process.send?.(result);
  });
  // The bench has ended, in whatever way: its timers would keep this process.
  process.once('disconnect', () => process.exit());
}
