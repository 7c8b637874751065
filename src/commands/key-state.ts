// The state of each key in a folder, for the `keys` commands: which signs, which verify, when one may be retired.

import { type KeyFile, type KeyFileError, readKeys } from '../adapters/jwt/key-files.js';
import {
  type KeyTimes,
  type NewestFirst,
  retirableMs,
  type ScheduledKey,
  signingKey,
  startDelayMs,
} from '../core/key-schedule.js';
import { Environment } from '../platform/env.js';
import { readKeyFolderSettings } from '../settings/keys.js';
import { DEV_DATA_DIR, ownKeysFolder } from '../settings/mode.js';
import { readPolicy } from '../settings/policy.js';
import type { CommandIo } from './command-io.js';
import { checkSettings, printWarnings } from './settings-warnings.js';

export interface KeysSettings {
  readonly folder: string;
  readonly activeKid: string | undefined;
  readonly times: KeyTimes;
  /** When the command began, Unix ms. */
  readonly nowMs: number;
}

export type HeldKey = KeyFile & ScheduledKey;

/** Reads the same settings as the service. Without JWT_KEYS_DIR the folder is that of `dev`. @throws ConfigError */
export function readKeysSettings(io: CommandIo): KeysSettings {
  const env = new Environment(io.env);
  const nowMs = Date.now();
  const { folder, activeKid, delayMs } = readKeyFolderSettings(env);
  const dataDir = env.text('DATA_DIR') ?? DEV_DATA_DIR;
  const { refreshTtlMs, graceMs } = readPolicy(env, false, nowMs);
  checkSettings(env);
  printWarnings(env, io);
  return { folder: folder ?? ownKeysFolder(dataDir), activeKid, times: { delayMs, refreshTtlMs, graceMs }, nowMs };
}

/** The keys as a node that starts now sees them. @throws KeyFileError */
export async function heldKeys(settings: KeysSettings): Promise<NewestFirst<HeldKey>> {
  const { keys, fault } = await readableKeys(settings);
  if (fault) throw fault;
  return keys;
}

/** The valid keys, and the errors of the other files. @throws KeyFileError if no file is valid */
export async function readableKeys({ folder, times, nowMs }: KeysSettings): Promise<{
  readonly keys: NewestFirst<HeldKey>;
  readonly fault: KeyFileError | undefined;
}> {
  const hold = (file: KeyFile): HeldKey => ({
    ...file,
    readyMs: nowMs + startDelayMs(file.sinceMs, nowMs, times.delayMs),
  });
  const {
    keys: [newest, ...older],
    fault,
  } = await readKeys(folder);
  return { keys: [hold(newest), ...older.map(hold)], fault };
}

export const signing = (keys: NewestFirst<HeldKey>, { activeKid, nowMs }: KeysSettings): HeldKey =>
  signingKey(keys, activeKid, nowMs);

/** When a key may be retired, Unix ms; undefined: not known yet. */
export const retirable = (key: HeldKey, keys: NewestFirst<HeldKey>, settings: KeysSettings): number | undefined =>
  retirableMs(key, keys, settings);

/** Whether JWT_ACTIVE_KID names one of the keys. Then a new key does not sign by itself. */
export const isPinned = (keys: readonly HeldKey[], { activeKid }: KeysSettings): boolean =>
  keys.some(({ kid }) => kid === activeKid);

/** What a key is used for, and how long it must stay. */
export function stateOf(key: HeldKey, keys: NewestFirst<HeldKey>, settings: KeysSettings): string {
  const { activeKid, nowMs } = settings;
  if (key === signing(keys, settings)) return 'signs';
  const goneMs = retirable(key, keys, settings);
  if (goneMs !== undefined) return `verifies, may be retired ${goneMs > nowMs ? 'from' : 'since'} ${moment(goneMs)}`;
  const pinned = isPinned(keys, settings) && key.kid !== activeKid;
  return pinned ? 'verifies, JWT_ACTIVE_KID names another' : `verifies, will sign at ${moment(key.readyMs)}`;
}

/** A moment in UTC, rounded up to whole seconds. */
export const moment = (atMs: number): string =>
  new Date(Math.ceil(atMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
