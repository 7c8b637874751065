// How tests open embedded stores: in a folder of their own, with clocks that move only when a test moves them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbStore, type LmdbStoreOptions } from '../../../src/adapters/lmdb/lmdb-store.js';
import { RecordingLog } from '../../support/recording-log.js';

export class LmdbWorld {
  readonly dataDir: string;
  readonly log = new RecordingLog();
  /** The machine's clock, Unix ms. */
  wallMs = Date.now();
  /** The clock that is never set, ms. */
  steadyMs = 0;
  readonly #stores: LmdbStore[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async create(): Promise<LmdbWorld> {
    return new LmdbWorld(await mkdtemp(join(tmpdir(), 'latchkey-lmdb-')));
  }

  open(options: Partial<LmdbStoreOptions> = {}): LmdbStore {
    const { dataDir, log } = this;
    const clocks = { now: () => this.wallMs, monotonicMs: () => this.steadyMs };
    const store = LmdbStore.open({ dataDir, log, ...clocks, ...options });
    this.#stores.push(store);
    return store;
  }

  /** Lets time pass, as both clocks should. */
  pass(ms: number): void {
    this.wallMs += ms;
    this.steadyMs += ms;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
