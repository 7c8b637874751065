// A process that a section of the bench starts: it is told what to do, one thing after the other, and answers each.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export class Helper {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Starts a program.
   * @param first what it is told first
   * @param options for Node
   */
  static async start(program: URL, first: object, options: readonly string[] = []): Promise<Helper> {
    const child = fork(program, { serialization: 'advanced', execArgv: [...options] });
    const orphaned = (): boolean => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const helper = new Helper(child);
    await helper.ask(first);
    return helper;
  }

  /** Tells it something, and resolves with its answer. @throws Error if it ends before */
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

  /** Tells it something that it does not answer. */
  tell(what: object | string): void {
    this.#child.send(what);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Of a program that was started so: takes what it is told, and answers. */
export function answering(answer: (told: never) => Promise<unknown>): void {
  process.on('message', async (told) => {
    const result = await answer(told as never);
    if (result !== undefined) process.send?.(result);
  });
  // The bench has ended, in whatever way: its timers would keep this process.
  process.once('disconnect', () => process.exit());
}
