// The options of V8 that this process was started with, for the processes that it starts.

/**
 * The suite has V8 optimize later (`suite.sh` says why), and the processes of tests do so, too. The commands that
 * measure give no such option: what they start has V8's defaults.
 */
export const V8_OPTIONS: readonly string[] = process.execArgv.filter((option) =>
  option.startsWith('--interrupt-budget='),
);
