// The error for invalid settings. Imports nothing.

/** Settings are invalid. The message names every fault, one per line. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_ERROR';
  override readonly name = 'ConfigError';
  /** One line per fault: the variable, the value found, the value wanted. Never contains the value of a secret. */
  readonly faults: readonly string[];

  /** @param warnings possible causes, such as a misspelt variable; one line each */
  constructor(faults: readonly string[], warnings: readonly string[] = []) {
    const wrong = [`${faults.length} wrong ${faults.length === 1 ? 'setting' : 'settings'}:`, ...faults];
    const doubtful = warnings.length > 0 ? ['\nThese may be wrong, too:', ...warnings] : [];
    super(`${wrong.join('\n  ')}${doubtful.join('\n  ')}`);
    this.faults = faults;
  }
}
