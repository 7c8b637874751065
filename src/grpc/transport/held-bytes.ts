// Bytes that callers make this process hold, bounded over all connections: whoever holds most gives way.

/** A connection, as the holder of bytes. */
export interface Holder {
  /** Holders of one address count together. */
  readonly address: string;
  /** Frees all that it holds, at once. */
  evict(): void;
}

/** The bytes of unfinished requests and unread answers, and a flat amount for each open call. */
export class HeldBytes {
  readonly #maxBytes: number;
  readonly #held = new Map<Holder, number>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts more bytes; if that is too many, evicts holders until it is not. The holder itself may be one of them. */
  take(holder: Holder, bytes: number): void {
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + bytes);
    this.#total += bytes;
    while (this.#total > this.#maxBytes) {
      const most = this.#most();
      if (!most) return;
      this.forget(most);
      most.evict();
    }
  }

  /** Of a holder that was evicted nothing is counted any more, so nothing is given back. */
  giveBack(holder: Holder, bytes: number): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    const given = Math.min(bytes, held);
    this.#total -= given;
    if (held === given) this.#held.delete(holder);
    else this.#held.set(holder, held - given);
  }

  /** Counts nothing of this holder any more. */
  forget(holder: Holder): void {
    this.giveBack(holder, Number.POSITIVE_INFINITY);
  }

  /** The connection that holds most, of the address that holds most: many connections of one caller do not hide. */
  #most(): Holder | undefined {
    const byAddress = new Map<string, number>();
    for (const [{ address }, bytes] of this.#held) byAddress.set(address, (byAddress.get(address) ?? 0) + bytes);
    const [worst] = [...byAddress].reduce((one, other) => (other[1] > one[1] ? other : one), ['', -1]);
    let most: Holder | undefined;
    for (const [holder, bytes] of this.#held) {
      if (holder.address === worst && (!most || bytes > (this.#held.get(most) ?? 0))) most = holder;
    }
    return most;
  }
}
