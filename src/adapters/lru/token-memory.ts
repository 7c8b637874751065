// The cache of verified tokens, on lru-cache: it evicts the least recently used token first.

import { LRUCache } from 'lru-cache';
import type { Memory } from '../../core/ports.js';

/** The assumed size of a token, characters. A larger token counts as several. */
const ORDINARY = 1_024;

/** @param most the number of tokens of the assumed size; 0: no cache */
export function tokenMemory<Value extends object>(most: number): Memory<Value> {
  if (most === 0) return { get: () => undefined, set: () => {}, delete: () => {} };
  return new LRUCache<string, Value>({
    max: most,
    maxSize: most * ORDINARY,
    sizeCalculation: (_, text) => text.length,
  });
}
