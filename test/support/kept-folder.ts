// A folder that tests build once and keep for later runs, named by all that its content follows from.

import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export class KeptFolder {
  readonly path: string;

  /** @param parts what the content follows from: a change of any of them is another folder */
  constructor(name: string, parts: readonly string[]) {
    const made = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    this.path = join(tmpdir(), `latchkey-${name}-${made.slice(0, 16)}`);
  }

  /** Whether an earlier run of the same user has kept it. */
  get isKept(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.uid === userInfo().uid;
  }

  /** An empty folder to build it in, outside the project, so that nothing of the project is found by chance. */
  begin(): string {
    return mkdtempSync(`${this.path}-`);
  }

  /** Keeps what was built, whole or not at all. @param built a folder that `begin` has given */
  keep(built: string): void {
    try {
      renameSync(built, this.path);
    } catch (error) {
      // Another run was first.
      if (!this.isKept) throw error;
      rmSync(built, { recursive: true });
    }
  }

  forget(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
