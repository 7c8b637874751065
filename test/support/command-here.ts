// A command that ends by itself, in the test's own process: for what it reads, prints and does.
// A process of its own takes 0.15 s of processor time.

import type { CommandIo } from '../../src/commands/command-io.js';
import { failureOf } from '../../src/commands/failure.js';
import { messageLines } from '../../src/commands/print.js';
import { run } from '../../src/commands/run.js';
import type { CommandEnd } from './processes.js';

/** Runs a command to its end, as `runCommand` does. */
export async function commandHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<CommandEnd> {
  let [stdout, stderr] = ['', ''];
  const io: CommandIo = {
    env: { ...env },
    exitCode: 0,
    readInput: async () => input,
    printResult: (text) => {
      stdout += text;
    },
    printMessage: (text) => {
      stderr += messageLines(text);
    },
  };
  try {
    await run(args, io);
    return { code: io.exitCode, stdout, stderr };
  } catch (error) {
    const { message, exitCode } = failureOf(error);
    return { code: exitCode, stdout, stderr: stderr + message };
  }
}
