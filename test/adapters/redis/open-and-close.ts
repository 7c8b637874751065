// A process that opens a store on Redis, reads, and closes it: it must then exit by itself.

import { once } from 'node:events';
import { openStore } from './redis-world.js';

const [, , url = '', state] = process.argv;
const { store } = openStore(url);
if (state === 'answers' || state === 'hangs') await store.opened();
process.send?.('opened');
await once(process, 'message');
await store.read([{ kind: 'birth', shard: 0 }]).catch(() => undefined);
const closingMs = performance.now();
await store.close();
process.disconnect();
process.once('exit', () => {
  // Two seconds is what a forgotten connection takes to be noticed.
  if (performance.now() - closingMs > 1_000) process.exitCode = 1;
});
