// Owns the gathering of reads: what is asked for in one turn of the event loop goes to Redis as one command.

import { StoreUnavailable } from '../../core/errors.js';

/** The most keys of one command: it must not hold up the swaps behind it. */
const MAX_KEYS = 1_000;

/** What Redis said of one key: a text, null for nothing, or a number for a value of another type. */
export type Found = string | number | null;

type Texts = readonly (string | undefined)[];

interface Caller {
  readonly positions: readonly number[];
  readonly resolve: (texts: Texts) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  /** Each key once, with its place in the command: the birth record of a shard is asked for by all of its callers. */
  readonly places: Map<string, number>;
  readonly callers: Caller[];
}

function textAt(found: readonly Found[], position: number): string | undefined {
  const value = found[position];
  if (typeof value === 'string') return value;
  if (value === null) return undefined;
  throw new StoreUnavailable('a key in Redis holds a value of another type');
}

export class ReadBatch {
  readonly #fetch: (keys: readonly string[]) => Promise<readonly Found[]>;
  #open: Batch | undefined;

  /** @param fetch reads keys in one command, at one moment */
  constructor(fetch: (keys: readonly string[]) => Promise<readonly Found[]>) {
    this.#fetch = fetch;
  }

  /** Reads some keys in one command, together with those of others. @throws StoreUnavailable */
  read(keys: readonly string[]): Promise<Texts> {
    if (keys.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const { places, callers } = this.#batchFor(keys.length);
      const positions = keys.map((key) => placeIn(places, key));
      callers.push({ positions, resolve, reject });
    });
  }

  /** The batch that is not sent yet: a read must never see what was read for an earlier one. */
  #batchFor(count: number): Batch {
    if (this.#open && this.#open.places.size + count > MAX_KEYS) this.#send(this.#open);
    if (this.#open) return this.#open;
    const batch: Batch = { places: new Map(), callers: [] };
    this.#open = batch;
    setImmediate(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch): void {
    // A full one was sent before its turn ended.
    if (this.#open !== batch) return;
    this.#open = undefined;
    this.#fetch([...batch.places.keys()]).then(
      (found) => {
        for (const caller of batch.callers) answer(caller, found);
      },
      (error) => {
        for (const { reject } of batch.callers) reject(error);
      },
    );
  }
}

function placeIn(places: Map<string, number>, key: string): number {
  const there = places.get(key);
  if (there !== undefined) return there;
  const next = places.size;
  places.set(key, next);
  return next;
}

/** A bad key is the affair of those who asked for it alone. */
function answer({ positions, resolve, reject }: Caller, found: readonly Found[]): void {
  try {
    resolve(positions.map((position) => textAt(found, position)));
  } catch (error) {
    reject(error);
  }
}
