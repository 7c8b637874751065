// The options of V8 that this process was started with, for the processes that it starts.

/** `npm run bench` and all the others give none: what is measured has V8's defaults. Tests have V8 optimize later. */
export const V8_OPTIONS: readonly string[] = process.execArgv.filter((option) =>
  option.startsWith('--interrupt-budget='),
);
