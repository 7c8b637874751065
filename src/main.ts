#!/usr/bin/env node
// The entry of the command line: runs a command on the streams and in the environment of the process.

// biome-ignore-all assist/source/organizeImports: the check of Node's version comes before all else
import './commands/node-version.js';
import { endFailed, isLongRunning } from './commands/failure.js';
import { processIo } from './commands/print.js';
import { run } from './commands/run.js';
import { takeOverOutput } from './platform/output/foreign-output.js';
import { silenceNativeOutput } from './platform/output/standard-error.js';

async function main(args: readonly string[]): Promise<void> {
  const io = processIo(process.env);
  await run(args, io);
  process.exitCode = io.exitCode;
}

const [, , command, ...further] = process.argv;
takeOverOutput(process.env);
if (isLongRunning(command)) silenceNativeOutput();
main(command === undefined ? [] : [command, ...further]).catch((error: unknown) => endFailed(error, command));
