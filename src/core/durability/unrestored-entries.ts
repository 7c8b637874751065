// The acknowledged entries that the store has lost and that are not restored yet. Calls that need them fail meanwhile.

import type { Store } from '../ports.js';
import type { EntryKey } from '../session/store-keys.js';
import type { AckRecord } from './ack-record.js';
import { isEnd } from './entry-order.js';
import { entryId } from './recent-acks.js';
import { restoreEntry } from './restore.js';

export class UnrestoredEntries {
  readonly #store: Store;
  readonly #records = new Map<string, AckRecord>();
  #restores = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  get size(): number {
    return this.#records.size;
  }

  /**
   * How many entries were restored that could not be restored before. If it rises during a read, the read may be from
   * before the restore, and must be repeated.
   */
  get restores(): number {
    return this.#restores;
  }

  /** The ends of sessions and subjects among them. */
  ends(): AckRecord[] {
    if (this.size === 0) return [];
    return [...this.#records.values()].filter(({ key, text }) => isEnd(key, text));
  }

  add(record: AckRecord): void {
    this.#records.set(entryId(record.key), record);
  }

  /** The entry is in the store again. It may have been none of these. */
  restored(key: EntryKey): void {
    if (this.#records.delete(entryId(key))) this.#restores++;
  }

  /** Tries again to restore those with these keys. @throws StoreUnavailable while they cannot be restored */
  async retry(keys: readonly EntryKey[]): Promise<void> {
    for (const key of keys) {
      const record = this.#records.get(entryId(key));
      if (!record) continue;
      await restoreEntry(this.#store, record);
      this.restored(key);
    }
  }
}
