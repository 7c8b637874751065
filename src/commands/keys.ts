// `latchkey keys generate | list | rotate | retire`: the folder of keys, changed so that running nodes follow.

import { rmSync } from 'node:fs';
import { makeKey, pemFiles, writeKey } from '../adapters/jwt/key-files.js';
import { rivalOfNewest } from '../core/key-schedule.js';
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
import { printMessage, printResult } from './print.js';
import { UsageError } from './usage.js';

/** The command cannot be done with these keys. The message says what to do instead. */
export class KeysCommandError extends Error {
  readonly code = 'KEYS_COMMAND_ERROR';
  override readonly name = 'KeysCommandError';
}

/** Prints every key, the newest first, and what it is good for. */
export async function keysList(variables: NodeJS.ProcessEnv): Promise<void> {
  const settings = readKeysSettings(variables);
  await needsKeys(settings);
  const keys = await heldKeys(settings);
  const rows = keys.map((held) => {
    const { kid, key, sinceMs, path } = held;
    return [kid, key.algorithm, moment(sinceMs), stateOf(held, keys, settings), path];
  });
  const table = [['KID', 'ALG', 'SINCE', 'STATE', 'FILE'], ...rows];
  const widthOf = (column: number): number => Math.max(...table.map((row) => row[column]?.length ?? 0));
  for (const row of table)
    print(row.map((cell, column) => (column < 4 ? cell.padEnd(widthOf(column)) : cell)).join('  '));
  const rival = rivalOfNewest(keys, isPinned(keys, settings));
  if (rival) {
    print(
      `${keys[0].kid} and ${rival.kid} have dates within seconds of each other. Unless every node has the same dates,`,
    );
    print('set JWT_ACTIVE_KID on all of them to the one that is to sign.');
  }
  const { activeKid } = settings;
  if (activeKid !== undefined && !isPinned(keys, settings)) {
    print(`JWT_ACTIVE_KID names ${activeKid}, which is none of these: unless it is JWT_SECRET's, the newest signs.`);
  }
}

/** Makes the first key. */
export async function keysGenerate(variables: NodeJS.ProcessEnv, algorithm: string | undefined): Promise<void> {
  const settings = readKeysSettings(variables);
  const make = maker(settings, algorithm);
  const { folder } = settings;
  if ((await pemFiles(folder)).length > 0) {
    throw new KeysCommandError(`${folder} holds keys already; run \`latchkey keys rotate\` for a new one`);
  }
  const { report } = make();
  print(report, `It signs at once where it is the only one: set JWT_KEYS_DIR=${folder} on every node.`);
}

/** Makes a new key, which signs once every node can know it. */
export async function keysRotate(variables: NodeJS.ProcessEnv, algorithm: string | undefined): Promise<void> {
  const settings = readKeysSettings(variables);
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
  print(report);
  const keys = await heldKeys(settings);
  if (isPinned(keys, settings)) {
    print(`It verifies, and does not sign, for JWT_ACTIVE_KID names ${before.kid}: when every node has the file,`);
    print(`set JWT_ACTIVE_KID=${kid}, and restart them one by one.`);
    return;
  }
  const [made] = keys;
  const old = keys.find((key) => key.kid === before.kid) ?? made;
  const goneMs = retirable(old, keys, { ...settings, nowMs: made.readyMs }) ?? made.readyMs;
  print(`It verifies at once, and signs from ${moment(made.readyMs)}, with every node that has the file by then.`);
  print(`Until then ${before.kid} signs. That one may go from ${moment(goneMs)}: latchkey keys retire ${before.kid}`);
}

/** Removes a key that nobody needs any more; a compromised one, whoever needs it. */
export async function keysRetire(variables: NodeJS.ProcessEnv, kid: string, compromised: boolean): Promise<void> {
  const settings = readKeysSettings(variables);
  const { folder, nowMs, activeKid } = settings;
  await needsKeys(settings);
  const { keys, fault } = await readableKeys(settings);
  // What has leaked must not live on because of another file.
  if (fault && !compromised) throw fault;
  if (fault) printMessage(`warning: not in order, and no node starts with it:\n${fault.message}`);
  const key = keys.find((each) => each.kid === kid);
  if (!key) {
    const there = keys.map((each) => each.kid).join(', ');
    const hidden = fault ? '. If it is in a file that is not in order, delete that file' : '';
    throw new KeysCommandError(`${folder} holds no key ${kid}; there are: ${there}${hidden}`);
  }
  if (keys.length === 1) {
    throw new KeysCommandError(
      `${kid} is the last key, without which nothing can be signed; run \`latchkey keys rotate\` first`,
    );
  }
  const goneMs = retirable(key, keys, settings);
  if (!compromised && (goneMs === undefined || goneMs > nowMs)) {
    throw new KeysCommandError(`${kid} ${reasonToKeep(key === signing(keys, settings), goneMs)}. ${OR_COMPROMISED}`);
  }
  // The same key may be there in two files.
  for (let file = key.path; ; ) {
    rmSync(file);
    print(`Removed ${file}.`);
    const next = (await readableKeys(settings)).keys.find((each) => each.kid === kid);
    if (!next) break;
    file = next.path;
  }
  const { keys: left } = await readableKeys(settings);
  print(`Running nodes refuse its tokens within a few seconds; ${signing(left, settings).kid} signs.`);
  if (kid === activeKid) print('JWT_ACTIVE_KID names it: change that on every node, which cannot start with it again.');
}

const OR_COMPROMISED =
  'If it has leaked, add --compromised: it goes at once, and whoever holds tokens of it must log in again';

async function needsKeys({ folder }: KeysSettings): Promise<void> {
  if ((await pemFiles(folder)).length > 0) return;
  throw new KeysCommandError(`${folder} holds no key yet; run \`latchkey keys generate\` for the first`);
}

function reasonToKeep(signs: boolean, goneMs: number | undefined): string {
  if (goneMs !== undefined) return `is needed: tokens of it may live until ${moment(goneMs)}; try again then`;
  if (signs) return 'signs: run `latchkey keys rotate`, which says when it may go';
  return 'is newer than the one that signs, and nothing tells whether it has signed, or will';
}

/** Makes the key once all else is known to be right. @throws UsageError for another algorithm */
function maker({ folder, nowMs }: KeysSettings, algorithm = 'ES256'): () => { kid: string; report: string } {
  if (algorithm !== 'ES256' && algorithm !== 'RS256') {
    throw new UsageError(`--algorithm: found ${algorithm}, wanted ES256 or RS256`);
  }
  return () => {
    const { kid, pem } = makeKey(algorithm);
    // By date, so that a listing of the folder is in order; a part of the kid keeps two of one second apart.
    const name = `${moment(nowMs).replace(/[-:]/g, '')}-${kid.slice(0, 8)}`;
    return { kid, report: `Made the key ${kid} (${algorithm}) in ${writeKey(folder, name, pem)}.` };
  };
}

const print = (...lines: readonly string[]): void => printResult(`${lines.join('\n')}\n`);
