// `npm run chaos`: one run, its counts, and exit code 1 if a promise was broken.

import { runChaos } from './chaos.js';
import { summary, tellViolations } from './report.js';
import { chaosOptions } from './settings.js';

const print = (text: string): unknown => process.stdout.write(`${text}\n`);

/** Beside the run itself: the start, the last calls, the judgement, the end. */
const AROUND_MS = 150_000;

try {
  const options = chaosOptions(process.env);
  // What hangs must not keep it.
  setTimeout(
    () => {
      process.stderr.write('chaos: the run did not come to its end\n');
      process.exit(1);
    },
    options.seconds * 1_000 + AROUND_MS,
  ).unref();
  print(`CHAOS_SEED=${options.seed}`);
  const result = await runChaos(options);
  print(summary(options, result));
  if (result.violations.length > 0) {
    print(tellViolations(options, result));
    process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`chaos: ${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
// Nor may what is left open.
setTimeout(() => process.exit(), 5_000).unref();
