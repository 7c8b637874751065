// `npm run bench:overload`: what a service refuses of honest load, and what it does at twice the load that it can serve.
// One machine makes the load and serves it, and may do other things: compare what one run says, not runs.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../../test/support/redis-server.js';
import { whole } from '../figures.js';
import { closedLoops } from './closed.js';
import { openLoops } from './open.js';
import type { Clean } from './subject.js';

const cleanup: Clean[] = [];
try {
  const keys = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  cleanup.push(() => rm(keys, { recursive: true }));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(keys, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const redis = await RedisServer.start();
  cleanup.push(() => redis.stop());
  const startMs = performance.now();
  process.stdout.write(`Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}); ES256.\n\n`);
  process.stdout.write(`Closed loops of 256 calls:\n\n${await closedLoops(keys, redis)}\n\n`);
  for (const work of ['ValidateToken', 'RefreshToken'] as const) {
    process.stdout.write(`Open loops of ${work}, on Redis:\n\n${await openLoops(work, keys, redis)}\n\n`);
  }
  process.stdout.write(`It took ${whole((performance.now() - startMs) / 1_000)} s.\n`);
} finally {
  for (const clean of cleanup.reverse()) await clean();
}
