// Owns how settings are read from environment variables: typed, checked together, secrets hidden. Imports Node alone.

import { inspect } from 'node:util';

const HIDDEN = '[secret]';
const MAX_SHOWN = 120;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d{1,15})(ms|s|m|h|d)$/;
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** The variables of a process, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where to listen, or whom to call. */
export interface Address {
  /** A name or an IP address; an IPv6 one without its brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A text that never prints: not by template, JSON, console or logger. Only `reveal` gives it away. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** The settings are wrong. Its message names every fault, one a line. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_ERROR';
  override readonly name = 'ConfigError';
  /** One line a fault: the variable, what was found, what is wanted. Never a secret's value. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super([`${faults.length} wrong ${faults.length === 1 ? 'setting' : 'settings'}:`, ...faults].join('\n  '));
    this.faults = faults;
  }
}

/** The text of an address as URLs and gRPC targets want it: `host:port`, IPv6 in brackets. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Reads `500ms`, `10s`, `5m`, `12h`, `7d` as milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest text for milliseconds that `parseDuration` reads back: `90000` is `90s`. */
export function formatDuration(ms: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => ms > 0 && ms % (UNIT_MS[name] ?? 1) === 0);
  if (unit !== undefined) return `${ms / (UNIT_MS[unit] ?? 1)}${unit}`;
  return ms === 0 ? '0s' : `${ms}ms`;
}

function parseInstant(text: string): number | undefined {
  const [, year, month, day, hour, minute, second, , , offsetHour, offsetMinute] = INSTANT.exec(text) ?? [];
  if (year === undefined || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  // `Date` moves a day that does not exist, such as 30 February, into the next month; here it is a fault.
  const whole = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const wall = Date.parse(whole);
  if (Number.isNaN(wall) || new Date(wall).toISOString() !== whole) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host !== undefined && port <= 65535 ? { host, port } : undefined;
}

const quoted = (value: string): string =>
  JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);

/**
 * Typed readers of variables. A reader never throws for what it finds: it notes the fault and answers its default, so
 * that `check` can report all faults at once. An empty variable counts as unset.
 */
export class Environment {
  readonly #variables: Variables;
  readonly #asked = new Map<string, string | undefined>();
  readonly #hidden = new Map<string, string>();
  readonly #faults = new Set<string>();

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** Every variable that was asked for, with its default as text; undefined where it has none. */
  get asked(): ReadonlyMap<string, string | undefined> {
    return this.#asked;
  }

  text(name: string): string | undefined;
  text(name: string, options: { readonly default: string }): string;
  text(name: string, options: { readonly default?: string } = {}): string | undefined {
    return this.#read(name, options.default) ?? options.default;
  }

  /** @param options `minBytes`: the least length in bytes of UTF-8 */
  secret(name: string, options: { readonly minBytes?: number } = {}): Secret | undefined {
    const value = this.#readHidden(name);
    if (value === undefined) return undefined;
    const bytes = Buffer.byteLength(value);
    const { minBytes = 0 } = options;
    if (bytes < minBytes) this.fault(name, `a secret of ${bytes} bytes`, `at least ${minBytes} bytes`);
    return new Secret(value);
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

  /**
   * A time span such as `500ms`, `10s`, `5m`, `12h`, `7d`; the answer is in ms.
   * @param options bounds in ms, inclusive, `min` being 1 if not named; `wholeSeconds` refuses fractions of a second
   */
  duration(
    name: string,
    fallback: string,
    options: { readonly min?: number; readonly max?: number; readonly wholeSeconds?: boolean } = {},
  ): number {
    const { min = 1, max = Number.MAX_SAFE_INTEGER, wholeSeconds = false } = options;
    const defaultMs = parseDuration(fallback);
    if (defaultMs === undefined) throw new TypeError(`${name}: the default ${fallback} is not a duration`);
    const parse = (text: string) => {
      const ms = parseDuration(text);
      const fits = ms !== undefined && ms >= min && ms <= max && !(wholeSeconds && ms % 1000 !== 0);
      return fits ? ms : undefined;
    };
    const wanted = [
      'a duration such as 500ms, 10s, 5m, 12h or 7d',
      ...(options.min === undefined ? [] : [`at least ${formatDuration(min)}`]),
      ...(options.max === undefined ? [] : [`at most ${formatDuration(max)}`]),
      ...(wholeSeconds ? ['in whole seconds'] : []),
    ];
    return this.#parsed(name, fallback, parse, wanted.join(', ')) ?? defaultMs;
  }

  /** A whole number. @param bounds inclusive */
  count(name: string, fallback: number, { min, max }: { readonly min: number; readonly max: number }): number {
    const parse = (text: string) => {
      const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return count >= min && count <= max ? count : undefined;
    };
    return this.#parsed(name, `${fallback}`, parse, `a whole number from ${min} to ${max}`) ?? fallback;
  }

  /** A moment in RFC 3339, with its offset; the answer is Unix ms. Whether it may be in the future is the caller's rule. */
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

  /** Comma separated; blanks around the items and empty items are dropped. */
  list(name: string): readonly string[] {
    const items = this.#read(name, undefined)?.split(',') ?? [];
    return items.map((item) => item.trim()).filter((item) => item !== '');
  }

  /** Notes a fault that only the caller can see, such as two settings that exclude each other. */
  fault(name: string, found: string, wanted: string): void {
    const hidden = this.#hidden.get(name);
    const shown = hidden === undefined ? found : found.replaceAll(hidden, HIDDEN);
    this.#faults.add(`${name}: found ${shown}, wanted ${wanted}`);
  }

  /** @throws ConfigError with every fault noted so far, if there is any */
  check(): void {
    if (this.#faults.size > 0) throw new ConfigError([...this.#faults]);
  }

  /** The secrets that were read, by their variables: for processes that read the same, and inherit none of them. */
  secrets(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#hidden);
  }

  /** Takes the secrets that were read out of `process.env`, for whatever dumps it, or is started with it. */
  forgetSecrets(variables: NodeJS.ProcessEnv): void {
    for (const name of this.#hidden.keys()) delete variables[name];
  }

  #read(name: string, fallback: string | undefined): string | undefined {
    this.#asked.set(name, fallback);
    const value = Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined;
    return value === '' ? undefined : value;
  }

  #readHidden(name: string): string | undefined {
    const value = this.#read(name, undefined);
    if (value !== undefined) this.#hidden.set(name, value);
    return value;
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
