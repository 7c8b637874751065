// A module that is loaded before all else, and writes down on SIGUSR2 which packages the process has loaded.

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { cache } = createRequire(import.meta.url);
process.on('SIGUSR2', () => {
  const paths = Object.keys(cache).flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
  writeFileSync(`${process.env['PACKAGES_FILE']}.${process.pid}`, JSON.stringify([...new Set(paths)].sort()));
});
