// A program with a pool of workers that do as a file says, for what no service does by itself.

import cluster from 'node:cluster';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../src/platform/log.js';
import { Pool } from '../../src/workers/pool.js';
import { PrimaryChannel } from '../../src/workers/primary-channel.js';

/** What a worker may do; `unstartable`: it cannot even be started. */
export type Conduct = 'good' | 'mute' | 'crashing' | 'without a store' | 'deaf' | 'unstartable';

const [, , file = '', startMs = '', stopMs = ''] = process.argv;

/** Descriptors that are open, so that the system has none left. */
const taken: number[] = [];

/** Takes all that the system gives, or gives it back. @returns whether it is taken now */
function takeRoom(): boolean {
  if (taken.length > 0) {
    for (const fd of taken.splice(0)) closeSync(fd);
    return false;
  }
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    return true;
  }
}

/** Makes the environment larger than a process may have, or as it was. @returns whether it is too large now */
function burden(): boolean {
  if (process.env['BURDEN'] === undefined) process.env['BURDEN'] = 'x'.repeat(1024 ** 2);
  else delete process.env['BURDEN'];
  return process.env['BURDEN'] !== undefined;
}

async function run(): Promise<void> {
  const log = createLogger({ name: 'program', level: 'debug', isShared: true });
  const times = { startMs: Number(startMs), stopMs: Number(stopMs) };
  const exec = fileURLToPath(import.meta.url);
  const pool = new Pool(log, { count: 2, exec, args: [file], secrets: { WORD: 'sesame' }, ...times });
  process.on('SIGHUP', () => pool.roll());
  process.on('SIGUSR2', () => log.info({}, takeRoom() ? 'there is no room' : 'there is room'));
  process.on('SIGALRM', () => log.info({}, burden() ? 'a start would fail' : 'a start would not fail'));
  const code = (promise: Promise<void>) => promise.then(() => 0).catch(() => 1);
  process.on('SIGTERM', () => void code(pool.stop()).then((each) => process.exit(each)));
  if (readFileSync(file, 'utf8') === 'unstartable') burden();
  try {
    await pool.start();
  } catch (error) {
    log.error({ err: error }, 'the pool did not start');
    process.exit(1);
  }
}

async function work(): Promise<void> {
  const conduct = readFileSync(file, 'utf8') as Conduct;
  const stay = setInterval(() => {}, 1_000);
  const primary = PrimaryChannel.find();
  if (!primary || conduct === 'mute') return;
  if ((await primary.takeSecrets())['WORD'] !== 'sesame') process.exit(9);
  if (conduct === 'deaf') process.on('SIGTERM', () => {});
  else void primary.end.then(() => clearInterval(stay)).then(() => process.exit(0));
  await primary.send({ kind: 'listening', addresses: [] });
  if (conduct !== 'without a store') await primary.send({ kind: 'serving' });
  if (conduct === 'crashing') process.exit(3);
}

await (cluster.isPrimary ? run() : work());
