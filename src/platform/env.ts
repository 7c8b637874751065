// Typed readers of environment variables. They report all errors at once, and hide secrets. Imports only Node.

import { oddEnds } from './env/odd-ends.js';
import { Secret } from './env/secret.js';
import { readSecretFile } from './env/secret-file.js';
import { SettingsReport } from './env/settings-report.js';
import { unknownNames } from './env/unknown-names.js';
import {
  type Address,
  boundedDuration,
  type DurationBounds,
  parseAddress,
  parseDuration,
  parseInstant,
} from './env/values.js';

export { ConfigError } from './env/config-error.js';
export { Secret } from './env/secret.js';
export { type Address, formatAddress, formatDuration, parseDuration } from './env/values.js';

const MAX_SHOWN = 120;

/** The environment variables of a process, as in `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

const quoted = (value: string): string =>
  JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);

export interface SecretOptions {
  readonly minBytes?: number;
  readonly wantedOf?: (value: string) => string | undefined;
  readonly ends?: 'reported' | 'own';
}

/**
 * Typed readers of variables. A reader does not throw for a bad value: it records the fault and returns its default, so
 * that `check` can report all faults at once. An empty variable counts as unset.
 */
export class Environment extends SettingsReport {
  readonly #variables: Variables;
  readonly #asked = new Map<string, string | undefined>();

  constructor(variables: Variables) {
    super();
    this.#variables = variables;
  }

  /** Every variable that was read, with its default as text; undefined if it has none. */
  get asked(): ReadonlyMap<string, string | undefined> {
    return this.#asked;
  }

  text(name: string): string | undefined;
  text(name: string, options: { readonly default: string }): string;
  text(name: string, options: { readonly default?: string } = {}): string | undefined {
    return this.#read(name, options.default) ?? options.default;
  }

  /**
   * A secret, from the variable itself or from the file in the variable with the suffix `_FILE`; both set are a fault.
   * Invisible characters or quotes at an end are a fault if the value is unusable, else a warning.
   * @param options `minBytes`: the least length in bytes of UTF-8; `wantedOf`: returns what is wanted instead of an
   * unusable value, undefined for a good one; `ends: 'own'`: the caller checks the ends
   */
  secret(name: string, options: SecretOptions = {}): Secret | undefined {
    const value = this.#readHidden(name);
    if (value === undefined) return undefined;
    const { minBytes = 0, wantedOf = () => undefined, ends = 'reported' } = options;
    const bytes = Buffer.byteLength(value);
    if (bytes < minBytes) this.fault(name, `a secret of ${bytes} bytes`, `at least ${minBytes} bytes`);
    const wanted = wantedOf(value);
    if (wanted !== undefined) this.fault(name, oddEnds(value) ?? 'something else', wanted);
    else if (ends === 'reported') this.warnOfEnds(name, value);
    return new Secret(value);
  }

  /** Whether a secret is set, also in an unreadable file: that fault is recorded, and is the only one to report. */
  isSecretSet(name: string): boolean {
    return this.#read(name, undefined) !== undefined || this.#read(`${name}_FILE`, undefined) !== undefined;
  }

  /** Exactly `true` or `false`. */
  flag(name: string, fallback: boolean): boolean {
    return this.choice(name, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined;
  choice<const T extends string>(name: string, choices: readonly T[], fallback: NoInfer<T>): T;
  choice<const T extends string>(name: string, choices: readonly T[], fallback?: T): T | undefined {
    const parse = (text: string) => choices.find((choice) => choice === text);
    return this.#parsed(name, fallback, parse, choices.join(' or ')) ?? fallback;
  }

  /** A time span such as `500ms`, `10s`, `5m`, `12h`, `7d`, returned in ms. */
  duration(name: string, fallback: string, options: DurationBounds = {}): number {
    const defaultMs = parseDuration(fallback);
    if (defaultMs === undefined) throw new TypeError(`${name}: the default ${fallback} is not a duration`);
    const { parse, wanted } = boundedDuration(options);
    return this.#parsed(name, fallback, parse, wanted) ?? defaultMs;
  }

  /** A whole number. @param bounds inclusive */
  count(name: string, fallback: number, { min, max }: { readonly min: number; readonly max: number }): number {
    const parse = (text: string) => {
      const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return count >= min && count <= max ? count : undefined;
    };
    return this.#parsed(name, `${fallback}`, parse, `a whole number from ${min} to ${max}`) ?? fallback;
  }

  /** A moment in RFC 3339 with its offset, returned in Unix ms. The caller checks whether it may be in the future. */
  instant(name: string): number | undefined {
    return this.#parsed(name, undefined, parseInstant, 'a moment such as 2025-01-31T08:00:00Z');
  }

  address(name: string): Address | undefined;
  address(name: string, fallback: string): Address;
  address(name: string, fallback?: string): Address | undefined {
    const byDefault = fallback === undefined ? undefined : parseAddress(fallback);
    if (fallback !== undefined && byDefault === undefined) {
      throw new TypeError(`${name}: the default ${fallback} is not an address`);
    }
    const wanted = 'host:port such as 127.0.0.1:50051 or [::1]:50051, the port 0 to 65535';
    return this.#parsed(name, fallback, parseAddress, wanted) ?? byDefault;
  }

  /** A comma-separated list. White space around items, and empty items, are dropped. */
  list(name: string): readonly string[] {
    const items = this.#read(name, undefined)?.split(',') ?? [];
    return items.map((item) => item.trim()).filter((item) => item !== '');
  }

  /** Warns of variables that look like misspelt settings. @param known every setting of every command */
  warnOfUnknown(known: ReadonlySet<string>): void {
    const set = Object.keys(this.#variables).filter((name) => (this.#variables[name] ?? '') !== '');
    for (const { name, similar } of unknownNames(set, known)) {
      const hint = similar === undefined ? '' : `; did you mean ${similar}?`;
      this.warn(JSON.stringify(name).slice(1, -1), `there is no such setting, so it has no effect${hint}`);
    }
  }

  /** The file of a secret; undefined if the secret did not come from a file. */
  fileOf(name: string): string | undefined {
    return this.files.get(name);
  }

  /** The secrets by variable, for workers: they use the same secrets and do not inherit them. */
  secrets(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.hidden);
  }

  /**
   * Removes the secrets, and the names of their files, from `process.env`, so that no dump of it and no child process
   * has them. Workers get the secrets by a message, and read no file.
   */
  forgetSecrets(variables: NodeJS.ProcessEnv): void {
    for (const name of this.hidden.keys()) {
      delete variables[name];
      delete variables[`${name}_FILE`];
    }
  }

  #read(name: string, fallback: string | undefined): string | undefined {
    this.#asked.set(name, fallback);
    const value = Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined;
    return value === '' ? undefined : value;
  }

  #readHidden(name: string): string | undefined {
    const variable = `${name}_FILE`;
    const [direct, path] = [this.#read(name, undefined), this.#read(variable, undefined)];
    if (direct !== undefined && path !== undefined) this.fault(`${name} and ${variable}`, 'both', 'one of them');
    const value = direct ?? (path === undefined ? undefined : this.#readFile(name, path));
    if (value !== undefined) this.hidden.set(name, value);
    return value;
  }

  #readFile(name: string, path: string): string | undefined {
    const file = readSecretFile(path);
    if ('text' in file) {
      this.files.set(name, path);
      return file.text;
    }
    this.fault(`${name}_FILE`, file.found, 'a file that holds the secret and nothing else');
    return undefined;
  }

  #parsed<T>(
    name: string,
    fallback: string | undefined,
    parse: (text: string) => T | undefined,
    wanted: string,
  ): T | undefined {
    const text = this.#read(name, fallback);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) this.fault(name, quoted(text), wanted);
    return value;
  }
}
