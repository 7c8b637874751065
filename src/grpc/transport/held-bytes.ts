// The bytes that connections hold in memory, with one limit for all: at the limit the largest holder is evicted.

/** A connection as a holder of bytes. */
export interface Holder {
  /** Holders with the same address are counted together. */
  readonly address: string;
  /** Frees everything that it holds, at once. */
  evict(): void;
}

/** Counts the bytes of incomplete requests and unread responses, and a flat amount for each open call. */
export class HeldBytes {
  readonly #maxBytes: number;
  /** In objects, because most changes are of a holder that is counted already. */
  readonly #held = new Map<Holder, { bytes: number }>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts more bytes. Above the limit, evicts holders until the total is below it; this holder may be one of them. */
  take(holder: Holder, bytes: number): void {
    const held = this.#held.get(holder);
    if (held) held.bytes += bytes;
    else this.#held.set(holder, { bytes });
    this.#total += bytes;
    while (this.#total > this.#maxBytes) {
      const most = this.#most();
      if (!most) return;
      this.forget(most);
      most.evict();
    }
  }

  /** Has no effect for an evicted holder, because its bytes are no longer counted. */
  giveBack(holder: Holder, bytes: number): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    const given = Math.min(bytes, held.bytes);
    this.#total -= given;
    held.bytes -= given;
    if (held.bytes === 0) this.#held.delete(holder);
  }

  /** Stops counting this holder. */
  forget(holder: Holder): void {
    this.giveBack(holder, Number.POSITIVE_INFINITY);
  }

  /** The largest holder of the address that holds most, so that a caller gains nothing by many connections. */
  #most(): Holder | undefined {
    const byAddress = new Map<string, number>();
    for (const [{ address }, { bytes }] of this.#held) byAddress.set(address, (byAddress.get(address) ?? 0) + bytes);
    const [worst] = [...byAddress].reduce((one, other) => (other[1] > one[1] ? other : one), ['', -1]);
    let most: Holder | undefined;
    for (const [holder, { bytes }] of this.#held) {
      if (holder.address === worst && (!most || bytes > (this.#held.get(most)?.bytes ?? 0))) most = holder;
    }
    return most;
  }
}
