// The error for settings that are wrong. Imports nothing.

/** The settings are wrong. Its message names every fault, one a line. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_ERROR';
  override readonly name = 'ConfigError';
  /** One line a fault: the variable, what was found, what is wanted. Never a secret's value. */
  readonly faults: readonly string[];

  /** @param warnings what may be the cause, such as a misspelt variable; one line each */
  constructor(faults: readonly string[], warnings: readonly string[] = []) {
    const wrong = [`${faults.length} wrong ${faults.length === 1 ? 'setting' : 'settings'}:`, ...faults];
    const doubtful = warnings.length > 0 ? ['\nThese may be wrong, too:', ...warnings] : [];
    super(`${wrong.join('\n  ')}${doubtful.join('\n  ')}`);
    this.faults = faults;
  }
}
