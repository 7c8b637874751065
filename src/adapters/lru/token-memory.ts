// The cache of verified tokens, on lru-cache: it evicts the least recently used token first.

import { LRUCache } from 'lru-cache';
import type { Memory } from '../../core/ports.js';

/** The assumed size of a token, characters. A larger token counts as several. */
const ORDINARY = 1_024;

/**
 * Tokens are looked up by this many of their last characters, 72 bits of the signature, and then compared as a whole:
 * to hash the whole text of each token would cost more than the rest of the look-up. V8 copies so short a slice; a
 * longer one would be a view of the text, which is slower to hash and to compare.
 */
const TAIL = 12;

interface Kept<Value> {
  readonly text: string;
  readonly value: Value;
}

/** @param most the number of tokens of the assumed size; 0: no cache */
export function tokenMemory<Value extends object>(most: number): Memory<Value> {
  if (most === 0) return { get: () => undefined, set: () => {}, delete: () => {} };
  const kept = new LRUCache<string, Kept<Value>>({
    max: most,
    maxSize: most * ORDINARY,
    sizeCalculation: ({ text }) => text.length,
  });
  const tailOf = (text: string): string => text.slice(-TAIL);
  return {
    get: (text) => {
      const found = kept.get(tailOf(text));
      return found?.text === text ? found.value : undefined;
    },
    set: (text, value) => void kept.set(tailOf(text), { text, value }),
    delete: (text) => {
      const tail = tailOf(text);
      if (kept.peek(tail)?.text === text) kept.delete(tail);
    },
  };
}
