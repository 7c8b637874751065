// A set in the order in which its members were added, which finds its oldest member in constant time.

import { type Linked, LinkedList } from './linked-list.js';

interface Member<Value> extends Linked<Member<Value>> {
  readonly value: Value;
}

export class LinkedSet<Value> {
  readonly #members = new Map<Value, Member<Value>>();
  readonly #order = new LinkedList<Member<Value>>();

  get size(): number {
    return this.#members.size;
  }

  get oldest(): Value | undefined {
    return this.#order.oldest?.value;
  }

  /** Adds a value as the newest. One that is there already keeps its place. */
  add(value: Value): void {
    if (this.#members.has(value)) return;
    const member: Member<Value> = { value, older: undefined, newer: undefined };
    this.#members.set(value, member);
    this.#order.append(member);
  }

  /** @returns whether it was there */
  delete(value: Value): boolean {
    const member = this.#members.get(value);
    if (!member) return false;
    this.#members.delete(value);
    this.#order.remove(member);
    return true;
  }

  clear(): void {
    this.#members.clear();
    this.#order.clear();
  }

  /** The values, oldest first. Values may be deleted meanwhile. */
  values(): MapIterator<Value> {
    return this.#members.keys();
  }
}
