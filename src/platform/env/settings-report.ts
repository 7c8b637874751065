// The faults of settings and the possible mistakes in them: recorded one by one, reported together, without secrets.

import { ConfigError } from './config-error.js';
import { oddEnds } from './odd-ends.js';
import { HIDDEN } from './secret.js';

export class SettingsReport {
  /** The values of the secrets, by variable. */
  protected readonly hidden = new Map<string, string>();
  /** The files of the secrets, by the variables of the secrets. */
  protected readonly files = new Map<string, string>();
  readonly #faults = new Set<string>();
  readonly #warnings = new Set<string>();

  /** Records a fault, such as two settings that exclude each other. */
  fault(name: string, found: string, wanted: string): void {
    const hidden = this.hidden.get(name);
    const shown = hidden === undefined ? found : found.replaceAll(hidden, HIDDEN);
    this.#faults.add(`${this.#sourceOf(name)}: found ${shown}, wanted ${wanted}`);
  }

  /** Records a possible mistake. @param text contains no secret */
  warn(name: string, text: string): void {
    this.#warnings.add(`${this.#sourceOf(name)}: ${text}`);
  }

  /**
   * Warns of invisible characters and quotes at the ends of a value, and does not show it. @param which names a part
   */
  warnOfEnds(name: string, value: string, which = 'the value'): void {
    const odd = oddEnds(value);
    if (odd !== undefined) this.warn(name, `${which} has ${odd}; take that out unless it is meant`);
  }

  /** The possible mistakes, one line each. Never contains the value of a secret. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** @throws ConfigError with every recorded fault, if there is any */
  check(): void {
    if (this.#faults.size > 0) throw new ConfigError([...this.#faults], this.warnings);
  }

  /** The variable that holds a setting: the name itself, or the name with `_FILE`. */
  #sourceOf(name: string): string {
    return this.files.has(name) ? `${name}_FILE` : name;
  }
}
