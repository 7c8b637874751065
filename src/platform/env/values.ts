// Parsers of the values of settings: durations, moments, addresses. Imports nothing.

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d{1,15})(ms|s|m|h|d)$/;
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** The address of a listener or of a server. */
export interface Address {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** The form for URLs and gRPC targets: `host:port`, IPv6 in brackets. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Parses `host:port`, IPv6 in brackets; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host !== undefined && port <= 65535 ? { host, port } : undefined;
}

/** Parses `500ms`, `10s`, `5m`, `12h`, `7d` as milliseconds; undefined for anything else. */
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

/** Inclusive bounds of a duration, ms. */
export interface DurationBounds {
  /** By default 1. */
  readonly min?: number;
  readonly max?: number;
  /** Rejects fractions of a second. */
  readonly wholeSeconds?: boolean;
}

/** @returns a parser that accepts durations within bounds, and the text that says what it accepts */
export function boundedDuration({ min, max, wholeSeconds = false }: DurationBounds): {
  readonly parse: (text: string) => number | undefined;
  readonly wanted: string;
} {
  const parse = (text: string): number | undefined => {
    const ms = parseDuration(text);
    if (ms === undefined || ms < (min ?? 1) || ms > (max ?? Number.MAX_SAFE_INTEGER)) return undefined;
    return wholeSeconds && ms % 1000 !== 0 ? undefined : ms;
  };
  const wanted = [
    'a duration such as 500ms, 10s, 5m, 12h or 7d',
    ...(min === undefined ? [] : [`at least ${formatDuration(min)}`]),
    ...(max === undefined ? [] : [`at most ${formatDuration(max)}`]),
    ...(wholeSeconds ? ['in whole seconds'] : []),
  ];
  return { parse, wanted: wanted.join(', ') };
}

/** Parses a moment in RFC 3339 with its offset as Unix ms; undefined for anything else. */
export function parseInstant(text: string): number | undefined {
  const [, year, month, day, hour, minute, second, , , offsetHour, offsetMinute] = INSTANT.exec(text) ?? [];
  if (year === undefined || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  // `Date` moves a day that does not exist, such as 30 February, into the next month; here it is a fault.
  const whole = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const wall = Date.parse(whole);
  if (Number.isNaN(wall) || new Date(wall).toISOString() !== whole) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
