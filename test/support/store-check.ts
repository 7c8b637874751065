// `latchkey store check` in the test's own process: what it prints, and the code that it would end with.

import { reportOn } from '../../src/commands/store.js';
import { Environment } from '../../src/platform/env.js';
import { readStore } from '../../src/settings/store.js';

export async function checkStore(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stdout: string }> {
  const { text, isUnsafe } = await reportOn(readStore(new Environment({ ...env }), 'serve'));
  return { code: isUnsafe ? 1 : 0, stdout: text };
}
