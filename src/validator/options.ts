// The options of a validator, checked and with their defaults. Every fault is in one message.

import { type Address, parseAddress, parseDuration } from '../platform/env/values.js';
import type { TlsFiles } from '../platform/tls/pem.js';
import type { Duration, Source, ValidateOptions, ValidatorOptions, WhenStale } from './api.js';

/** TLS towards the service. */
export interface TlsSettings {
  readonly files: TlsFiles;
  /** The name in the service's certificate; undefined: the host of each address. */
  readonly name: string | undefined;
}

export interface Settings {
  readonly source: Source;
  readonly whenStale: WhenStale;
  readonly addresses: readonly Address[];
  readonly audience: readonly string[];
  readonly issuer: string | undefined;
  readonly maxStalenessMs: number;
  readonly deadlineMs: number;
  /** Undefined: plain text. */
  readonly tls: TlsSettings | undefined;
  readonly maxRemembered: number;
  readonly maxCalls: number;
  readonly maxWaiting: number;
}

const STALENESS = { leastMs: 1, mostMs: 3_600_000, wanted: '1ms to 1h, such as 2s' };
const DEADLINE = { leastMs: 10, mostMs: 60_000, wanted: '10ms to 60s, such as 1s' };
const READY = { leastMs: 1, mostMs: 3_600_000, wanted: '1ms to 1h, such as 10s' };
const NAMES: ReadonlySet<string> = new Set([
  ...[
    'address',
    'source',
    'whenStale',
    'audience',
    'issuer',
    'maxStaleness',
    'deadline',
    'tls',
    'maxRemembered',
    'maxCalls',
    'maxWaiting',
  ],
]);
const SOURCES: ReadonlySet<string> = new Set(['answers', 'feed', 'auto']);
const WHEN_STALE: ReadonlySet<string> = new Set(['ask', 'throw']);
const TLS_NAMES: ReadonlySet<string> = new Set(['ca', 'cert', 'key', 'name']);

/** @throws TypeError that names every fault */
export function readOptions(options: ValidatorOptions): Settings {
  const faults: string[] = [];
  const span = (name: string, value: Duration, bounds: typeof STALENESS): number => {
    const ms = durationMs(value, bounds);
    if (ms === undefined) faults.push(`${name} is ${shown(value)}; wanted is ${bounds.wanted}`);
    return ms ?? bounds.leastMs;
  };
  const count = (name: string, value: number, most: number): number => {
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    faults.push(`${name} is ${shown(value)}; wanted is a whole number from 1 to ${most}`);
    return 1;
  };
  if (!isRecord(options)) {
    throw new TypeError(`createValidator: the options are ${shown(options)}; wanted is an object with address`);
  }
  for (const name of Object.keys(options)) if (!NAMES.has(name)) faults.push(`there is no option ${shown(name)}`);
  const { source = 'answers', whenStale = 'ask' } = options;
  if (!SOURCES.has(source)) faults.push(`source is ${shown(source)}; wanted is 'answers', 'feed' or 'auto'`);
  if (!WHEN_STALE.has(whenStale)) faults.push(`whenStale is ${shown(whenStale)}; wanted is 'ask' or 'throw'`);
  if (options.whenStale !== undefined && source === 'answers') {
    faults.push("whenStale has no meaning without the feed; set source to 'feed' or 'auto', or omit it");
  }
  const settings: Settings = {
    source,
    whenStale,
    addresses: listOf(options.address).flatMap((text) => readAddress(text, faults)),
    audience: listOf(options.audience).filter((each) => isFilled('audience', each, faults)),
    issuer: options.issuer,
    maxStalenessMs: span('maxStaleness', options.maxStaleness ?? '2s', STALENESS),
    deadlineMs: span('deadline', options.deadline ?? '1s', DEADLINE),
    tls: readTlsOption(options.tls, faults),
    maxRemembered: count('maxRemembered', options.maxRemembered ?? 100_000, 10_000_000),
    maxCalls: count('maxCalls', options.maxCalls ?? 8, 1_000),
    maxWaiting: count('maxWaiting', options.maxWaiting ?? 10_000, 1_000_000),
  };
  if (options.issuer !== undefined) isFilled('issuer', options.issuer, faults);
  // The audience would not be checked then, although the option is there.
  if (Array.isArray(options.audience) && options.audience.length === 0) {
    faults.push('audience is an empty list; wanted is at least one audience, or no such option');
  }
  if (settings.addresses.length === 0 && faults.length === 0) faults.push('address is missing; wanted is host:port');
  if (faults.length > 0) throw new TypeError(`createValidator: ${faults.join('; ')}`);
  return settings;
}

/**
 * How old an answer may be for one call of `validate`, ms; undefined: it must come from a call that is sent later.
 * @param usualMs the validator's own `maxStaleness`
 * @throws TypeError
 */
export function readStaleness(options: ValidateOptions, usualMs: number): number | undefined {
  const { consistency = 'bounded', maxStaleness } = options;
  if (consistency !== 'bounded' && consistency !== 'strict') {
    throw new TypeError(`consistency is ${shown(consistency)}; wanted is 'bounded' or 'strict'`);
  }
  if (consistency === 'strict') {
    if (maxStaleness !== undefined)
      throw new TypeError('maxStaleness has no meaning with strict consistency; omit one');
    return undefined;
  }
  return maxStaleness === undefined ? usualMs : checkedMs('maxStaleness', maxStaleness, STALENESS);
}

/** @throws TypeError */
export const readTimeout = (timeout: Duration): number => checkedMs('timeout', timeout, READY);

function checkedMs(name: string, value: Duration, bounds: typeof STALENESS): number {
  const ms = durationMs(value, bounds);
  if (ms === undefined) throw new TypeError(`${name} is ${shown(value)}; wanted is ${bounds.wanted}`);
  return ms;
}

function durationMs(value: Duration, { leastMs, mostMs }: typeof STALENESS): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value;
  return typeof ms === 'number' && ms >= leastMs && ms <= mostMs ? ms : undefined;
}

function readAddress(text: string, faults: string[]): Address[] {
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address && address.port > 0) return [address];
  faults.push(`address is ${shown(text)}; wanted is host:port, such as auth.internal:50051`);
  return [];
}

function readTlsOption(tls: ValidatorOptions['tls'] = false, faults: string[]): TlsSettings | undefined {
  if (tls === false) return undefined;
  if (tls !== true && !isRecord(tls)) {
    faults.push(`tls is ${shown(tls)}; wanted is true or an object with the paths of files`);
    return undefined;
  }
  const { ca, cert, key, name } = tls === true ? {} : tls;
  const unknown = Object.keys(tls).filter((each) => !TLS_NAMES.has(each));
  for (const each of unknown) faults.push(`there is no option ${shown(`tls.${each}`)}`);
  for (const [option, value] of Object.entries({ ca, cert, key, name })) {
    if (value !== undefined) isFilled(`tls.${option}`, value, faults);
  }
  if ((cert === undefined) !== (key === undefined)) faults.push('tls has only one of cert and key; wanted are both');
  return { files: { ca, cert, key }, name };
}

function isFilled(name: string, value: unknown, faults: string[]): boolean {
  if (typeof value === 'string' && value !== '') return true;
  faults.push(`${name} is ${shown(value)}; wanted is a text that is not empty`);
  return false;
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A single value of any kind is a list of one. The checks of its members name the fault. */
const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as string];

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);
