// `npm run bench:profile -- <folder>`: the shares of each profile that `BENCH_PROFILE=<folder> npm run bench` has left.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../figures.js';
import { type Profile, sharesOf } from './shares.js';

/** In these a service starts and its code is not compiled yet, ms. */
const WARM_MS = 9_000;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('wanted: the folder that BENCH_PROFILE named');
const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
if (names.length === 0) throw new Error(`${folder}: it holds no file that ends in .cpuprofile`);
for (const name of names.sort()) {
  const shares = sharesOf(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile, WARM_MS);
  const rows = shares.map(({ owner, share }) => [owner, `${(share * 100).toFixed(1)} %`]);
  process.stdout.write(`${name}\n\n${table(['what', 'is'], rows)}\n\n`);
}
