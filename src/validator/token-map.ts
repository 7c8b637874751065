// A bounded map by token text. A look-up moves nothing, and hashes only the last 12 characters.

import { type Linked, LinkedList } from '../collections/linked-list.js';

/**
 * A token is looked up by its last characters, 72 bits of its signature, which differ between tokens. V8 copies so
 * short a slice; a longer one would be a view of the text, which is slower to hash and to compare.
 */
const TAIL_CHARS = 12;
/** The assumed size of a token, characters. A larger token counts as several. */
const ORDINARY = 1_024;

interface Slot<Value> extends Linked<Slot<Value>> {
  readonly key: string;
  readonly text: string;
  value: Value;
}

const costOf = (text: string): number => Math.ceil(text.length / ORDINARY);

/** Values by whole texts. The one that was set first is forgotten first. */
export class TokenMap<Value> {
  readonly #slots = new Map<string, Slot<Value>>();
  readonly #order = new LinkedList<Slot<Value>>();
  readonly #most: number;
  #cost = 0;

  /** @param most the number of tokens of the assumed size, at least 1 */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(text: string): Value | undefined {
    return this.#find(text)?.value;
  }

  /** The map's own copy of a text, which is hashed once; undefined: it is not there. */
  ownText(text: string): string | undefined {
    return this.#find(text)?.text;
  }

  /** @param text ASCII */
  set(text: string, value: Value): void {
    const known = this.#slots.get(text.slice(-TAIL_CHARS));
    if (known?.text === text) {
      known.value = value;
      this.#order.remove(known);
      this.#order.append(known);
      return;
    }
    if (known) this.#drop(known);
    const slot = slotFor(text, value);
    this.#slots.set(slot.key, slot);
    this.#order.append(slot);
    this.#cost += costOf(text);
    this.#forgetOldest();
  }

  delete(text: string): void {
    const known = this.#find(text);
    if (known) this.#drop(known);
  }

  clear(): void {
    this.#slots.clear();
    this.#order.clear();
    this.#cost = 0;
  }

  #find(text: string): Slot<Value> | undefined {
    // Some maps are nearly always empty.
    if (this.#slots.size === 0) return undefined;
    const slot = this.#slots.get(text.slice(-TAIL_CHARS));
    // Anyone can write another token with the same end.
    return slot !== undefined && slot.text === text ? slot : undefined;
  }

  /** Forgets the oldest until the bound is kept. The newest stays, however large it is. */
  #forgetOldest(): void {
    while (this.#cost > this.#most) {
      const { oldest, newest } = this.#order;
      if (!oldest || oldest === newest) return;
      this.#drop(oldest);
    }
  }

  #drop(slot: Slot<Value>): void {
    this.#slots.delete(slot.key);
    this.#order.remove(slot);
    this.#cost -= costOf(slot.text);
  }
}

/** With a copy of the text: a caller's may be a slice, which would keep all that it was cut from. */
function slotFor<Value>(text: string, value: Value): Slot<Value> {
  const own = Buffer.from(text, 'latin1').toString('latin1');
  return { key: own.slice(-TAIL_CHARS), text: own, value, older: undefined, newer: undefined };
}
