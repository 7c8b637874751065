// Owns the memory for verified tokens, on lru-cache: what was not asked for for longest goes first.

import { LRUCache } from 'lru-cache';
import type { Memory } from '../../core/ports.js';

/** What an ordinary token takes of the bound; one with many claims takes the place of several. Characters. */
const ORDINARY = 1_024;

/** @param most so many ordinary tokens; 0: nothing is remembered */
export function tokenMemory<Value extends object>(most: number): Memory<Value> {
  if (most === 0) return { get: () => undefined, set: () => {}, delete: () => {} };
  return new LRUCache<string, Value>({
    max: most,
    maxSize: most * ORDINARY,
    sizeCalculation: (_, text) => text.length,
  });
}
