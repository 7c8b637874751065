// Reads of one event-loop turn, sent to Redis as one command.

import { StoreUnavailable } from '../../core/errors.js';

/** The most keys in one command: a longer one would delay the writes after it. */
const MAX_KEYS = 1_000;

/** Redis's answer for one key: a text, null for a missing key, or a number for a value of another type. */
export type RawValue = string | number | null;

type Texts = readonly (string | undefined)[];

interface Caller {
  readonly positions: readonly number[];
  readonly resolve: (texts: Texts) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  /** Each key once, with its position in the command: all calls to a shard read its birth record. */
  readonly places: Map<string, number>;
  readonly callers: Caller[];
}

function textAt(found: readonly RawValue[], position: number): string | undefined {
  const value = found[position];
  if (typeof value === 'string') return value;
  if (value === null) return undefined;
  throw new StoreUnavailable('a key in Redis holds a value of another type');
}

export class ReadBatch {
  readonly #fetch: (keys: readonly string[]) => Promise<readonly RawValue[]>;
  #open: Batch | undefined;

  /** @param fetch reads keys in one atomic command */
  constructor(fetch: (keys: readonly string[]) => Promise<readonly RawValue[]>) {
    this.#fetch = fetch;
  }

  /** Reads keys in one command, together with those of other calls. @throws StoreUnavailable */
  read(keys: readonly string[]): Promise<Texts> {
    if (keys.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const { places, callers } = this.#batchFor(keys.length);
      const positions = keys.map((key) => placeIn(places, key));
      callers.push({ positions, resolve, reject });
    });
  }

  /** The batch that is not sent yet: a read must never use the answer of an earlier one. */
  #batchFor(count: number): Batch {
    if (this.#open && this.#open.places.size + count > MAX_KEYS) this.#send(this.#open);
    if (this.#open) return this.#open;
    const batch: Batch = { places: new Map(), callers: [] };
    this.#open = batch;
    setImmediate(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch): void {
    // A full batch was sent before the turn ended.
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

/** A key of another type fails only the calls that read it. */
function answer({ positions, resolve, reject }: Caller, found: readonly RawValue[]): void {
  try {
    resolve(positions.map((position) => textAt(found, position)));
  } catch (error) {
    reject(error);
  }
}
