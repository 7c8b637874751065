// A folder for the embedded store of a test that measures clients: in memory where the system has that.
// A slow disk would delay every refresh.

import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';

export const quickFolder = (): Promise<string> =>
  mkdtemp(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'latchkey-browser-'));
