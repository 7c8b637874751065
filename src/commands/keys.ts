// `latchkey keys generate | list | rotate | retire`: changes of a key folder that running nodes follow.

import { rmSync } from 'node:fs';
import { makeKey, pemFiles, writeKey } from '../adapters/jwt/key-files.js';
import { rivalOfNewest } from '../core/key-schedule.js';
import type { CommandIo } from './command-io.js';
import {
  heldKeys,
  isPinned,
  type KeysSettings,
  moment,
  readableKeys,
  readKeysSettings,
  retirable,
  signing,
  stateOf,
} from './key-state.js';
import { UsageError } from './usage.js';

/** The command cannot run with these keys. The message names the remedy. */
export class KeysCommandError extends Error {
  readonly code = 'KEYS_COMMAND_ERROR';
  override readonly name = 'KeysCommandError';
}

/** Prints every key and its state, the newest first. */
export async function keysList(io: CommandIo): Promise<void> {
  const settings = readKeysSettings(io);
  await needsKeys(settings);
  const keys = await heldKeys(settings);
  const rows = keys.map((held) => {
    const { kid, key, sinceMs, path } = held;
    return [kid, key.algorithm, moment(sinceMs), stateOf(held, keys, settings), path];
  });
  const table = [['KID', 'ALG', 'SINCE', 'STATE', 'FILE'], ...rows];
  const widthOf = (column: number): number => Math.max(...table.map((row) => row[column]?.length ?? 0));
  for (const row of table)
    print(io, row.map((cell, column) => (column < 4 ? cell.padEnd(widthOf(column)) : cell)).join('  '));
  const rival = rivalOfNewest(keys, isPinned(keys, settings));
  if (rival) {
    print(
      io,
      `The files of ${keys[0].kid} and ${rival.kid} were written within seconds. If not every node has the same dates,`,
    );
    print(io, 'set JWT_ACTIVE_KID on all nodes to the key that should sign.');
  }
  const { activeKid } = settings;
  if (activeKid !== undefined && !isPinned(keys, settings)) {
    print(
      io,
      `JWT_ACTIVE_KID names ${activeKid}, which is none of these: the newest signs, unless it is JWT_SECRET's kid.`,
    );
  }
}

/** Creates the first key. */
export async function keysGenerate(io: CommandIo, algorithm: string | undefined): Promise<void> {
  const settings = readKeysSettings(io);
  const make = maker(settings, algorithm);
  const { folder } = settings;
  if ((await pemFiles(folder)).length > 0) {
    throw new KeysCommandError(`${folder} already contains keys; run \`latchkey keys rotate\` for a new one`);
  }
  const { report } = make();
  print(io, report, `It signs at once if it is the only key. Set JWT_KEYS_DIR=${folder} on every node.`);
}

/** Creates a new key. It signs after a delay in which every node can load it. */
export async function keysRotate(io: CommandIo, algorithm: string | undefined): Promise<void> {
  const settings = readKeysSettings(io);
  const make = maker(settings, algorithm);
  const { nowMs } = settings;
  await needsKeys(settings);
  const [newest, ...older] = await heldKeys(settings);
  if (newest.sinceMs > nowMs) {
    const why = `is dated ${moment(newest.sinceMs)}, in the future: a new key would be older and not sign`;
    throw new KeysCommandError(`${newest.path} ${why}; run: touch '${newest.path}'`);
  }
  const before = signing([newest, ...older], settings);
  const { kid, report } = make();
  print(io, report);
  const keys = await heldKeys(settings);
  if (isPinned(keys, settings)) {
    print(
      io,
      `It verifies and does not sign, because JWT_ACTIVE_KID names ${before.kid}. When every node has the file,`,
    );
    print(io, `set JWT_ACTIVE_KID=${kid}, and restart the nodes one by one.`);
    return;
  }
  const [made] = keys;
  const old = keys.find((key) => key.kid === before.kid) ?? made;
  const goneMs = retirable(old, keys, { ...settings, nowMs: made.readyMs }) ?? made.readyMs;
  print(io, `It verifies at once, and signs from ${moment(made.readyMs)} on every node that has the file by then.`);
  print(
    io,
    `Until then ${before.kid} signs. Retire that one from ${moment(goneMs)} on: latchkey keys retire ${before.kid}`,
  );
}

/** Removes a key that no valid token needs any more, or, if it is compromised, at once. */
export async function keysRetire(io: CommandIo, kid: string, compromised: boolean): Promise<void> {
  const settings = readKeysSettings(io);
  const { folder, nowMs, activeKid } = settings;
  await needsKeys(settings);
  const { keys, fault } = await readableKeys(settings);
  // An error in another file must not delay the removal of a compromised key.
  if (fault && !compromised) throw fault;
  if (fault) io.printMessage(`warning: these files have errors, and no node can start with them:\n${fault.message}`);
  const key = keys.find((each) => each.kid === kid);
  if (!key) {
    const there = keys.map((each) => each.kid).join(', ');
    const hidden = fault ? '. If it is in a file that has errors, delete that file' : '';
    throw new KeysCommandError(`${folder} contains no key ${kid}; its keys are: ${there}${hidden}`);
  }
  if (keys.length === 1) {
    throw new KeysCommandError(
      `${kid} is the last key, and no token can be signed without a key; run \`latchkey keys rotate\` first`,
    );
  }
  const goneMs = retirable(key, keys, settings);
  if (!compromised && (goneMs === undefined || goneMs > nowMs)) {
    throw new KeysCommandError(`${kid} ${reasonToKeep(key === signing(keys, settings), goneMs)}. ${OR_COMPROMISED}`);
  }
  // Two files may contain the same key.
  for (let file = key.path; ; ) {
    rmSync(file);
    print(io, `Removed ${file}.`);
    const next = (await readableKeys(settings)).keys.find((each) => each.kid === kid);
    if (!next) break;
    file = next.path;
  }
  const { keys: left } = await readableKeys(settings);
  print(io, `Running nodes refuse its tokens within a few seconds; ${signing(left, settings).kid} signs.`);
  if (kid === activeKid)
    print(io, 'JWT_ACTIVE_KID names it. Change that on every node: no node can start with it any more.');
}

const OR_COMPROMISED =
  'If it has leaked, add --compromised: it is removed at once, and users with tokens signed by it must log in again';

async function needsKeys({ folder }: KeysSettings): Promise<void> {
  if ((await pemFiles(folder)).length > 0) return;
  throw new KeysCommandError(`${folder} contains no key yet; run \`latchkey keys generate\` for the first`);
}

function reasonToKeep(signs: boolean, goneMs: number | undefined): string {
  if (goneMs !== undefined)
    return `is needed: tokens signed by it may be valid until ${moment(goneMs)}; try again then`;
  if (signs) return 'signs: run `latchkey keys rotate`, which prints when it may be retired';
  return 'is newer than the key that signs, and it is unknown whether it has signed or will sign';
}

/** @returns a function that creates the key, after all other checks. @throws UsageError for another algorithm */
function maker({ folder, nowMs }: KeysSettings, algorithm = 'ES256'): () => { kid: string; report: string } {
  if (algorithm !== 'ES256' && algorithm !== 'RS256') {
    throw new UsageError(`--algorithm: found ${algorithm}, wanted ES256 or RS256`);
  }
  return () => {
    const { kid, pem } = makeKey(algorithm);
    // The name begins with the date, so that names sort by age. A part of the kid distinguishes keys of one second.
    const name = `${moment(nowMs).replace(/[-:]/g, '')}-${kid.slice(0, 8)}`;
    return { kid, report: `Created the key ${kid} (${algorithm}) in ${writeKey(folder, name, pem)}.` };
  };
}

const print = (io: CommandIo, ...lines: readonly string[]): void => io.printResult(`${lines.join('\n')}\n`);
