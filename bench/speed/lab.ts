// What all scenarios share: a folder, the keys, the stores by kind and size, and the sizes of the load.

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from '../machine/cleanup.js';
import { type FilledStore, makeFolder, type StoreKind, startRedis } from '../stores/filled.js';
import { type Epoch, epochOf, type Filling, makeSession, type Session } from '../stores/sessions.js';
import { type Algorithm, type BenchKey, makeKeys } from './keys.js';
import type { Options } from './options.js';

/** How many sessions are in the stores, how many take part in the load, and how many calls are under way at once. */
export interface Sizes {
  readonly few: number;
  readonly many: number;
  readonly tokens: number;
  /** By gRPC; each with a number of streams. */
  readonly connections: number;
  readonly streams: number;
}

export const FULL: Sizes = { few: 1_000, many: 1_000_000, tokens: 10_000, connections: 8, streams: 16 };
const QUICK: Sizes = { few: 200, many: 2_000, tokens: 200, connections: 2, streams: 4 };
/** What a scenario uses up has subjects that no filled store has. */
const FIRST_FRESH = 1_000_000_000;

export class Lab {
  readonly options: Options;
  readonly folder: string;
  readonly keys: Readonly<Record<Algorithm, BenchKey>>;
  readonly sizes: Sizes;
  readonly epoch: Epoch = epochOf(Date.now());
  readonly #cleanup = new Cleanup();
  readonly #stores = new Map<string, Promise<FilledStore>>();
  #made = FIRST_FRESH;

  private constructor(options: Options, folder: string) {
    this.options = options;
    this.folder = folder;
    this.keys = makeKeys(folder);
    this.sizes = options.quick ? QUICK : FULL;
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    this.#cleanup.add(() => process.off('exit', remove));
    this.#cleanup.add(remove);
  }

  static async open(options: Options): Promise<Lab> {
    return new Lab(options, await mkdtemp(join(tmpdir(), 'latchkey-bench-')));
  }

  store(kind: StoreKind, sessions: number): Promise<FilledStore> {
    const name = `${kind} ${sessions}`;
    const store = this.#stores.get(name) ?? this.#fill(kind, sessions);
    this.#stores.set(name, store);
    return store;
  }

  /** Sessions that are in no store, for they were never refreshed, and that no other part uses. */
  fresh(count: number): Session[] {
    return Array.from({ length: count }, () => this.freshOne());
  }

  freshOne(): Session {
    return makeSession(this.#made++, 0, this.epoch);
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }

  filling(sessions: number): Filling {
    const kid = this.keys.ES256.keys.signingKid;
    return { sessions, epoch: this.epoch, kid, sample: this.sizes.tokens };
  }

  #fill(kind: StoreKind, sessions: number): Promise<FilledStore> {
    const filling = this.filling(sessions);
    return kind === 'redis' ? startRedis(filling, this.#cleanup) : makeFolder(filling, this.folder);
  }
}
