// The record of an acknowledged entry.

import type { EntryKey } from '../session/store-keys.js';

export interface AckRecord {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  /** The time of its last acknowledgement, the store's time, Unix ms. */
  readonly acknowledgedMs: number;
  /** The server that acknowledged it. */
  readonly incarnation: string | undefined;
}
