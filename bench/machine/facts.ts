// What must be known of a machine and its programs to read its figures.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { CAN_PIN } from './cores.js';

const GIB = 1024 ** 3;
const require = createRequire(import.meta.url);

/** Not every package shows its package.json to `require`: it is looked for above its entry. */
function versionOf(name: string): string {
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === name) return found.version ?? '';
    } catch {
      // Not in this folder.
    }
  }
  return 'unknown';
}

const printed = (command: string, pattern: RegExp): string | undefined =>
  pattern.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];

export interface Facts {
  readonly machine: string;
  readonly versions: string;
  readonly placed: string;
}

export function facts(): Facts {
  const [{ model = 'unknown' } = {}] = cpus();
  const packages = ['@grpc/grpc-js', 'ioredis', 'lmdb', 'fastify'].map((name) => `${name} ${versionOf(name)}`);
  const redis = printed('redis-server', /v=([\d.]+)/);
  const h2load = printed('h2load', /nghttp2\/([\d.]+)/);
  const programs = [`Node ${process.versions.node}`, redis && `Redis ${redis}`, h2load && `h2load ${h2load}`];
  return {
    machine: `${cpus().length} cores (${model.trim()}), ${(totalmem() / GIB).toFixed(0)} GiB, ${type()} ${release()}`,
    versions: [...programs.filter(Boolean), ...packages].join(', '),
    placed: CAN_PIN
      ? 'the servers under test on core 0, load and Redis on core 1'
      : 'servers, load and Redis wherever the system put them',
  };
}
