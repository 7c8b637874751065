// A call that has begun: the tokens that it reserves, and its end.

/** A call under way. */
export interface AdmittedCall {
  /** Reserves tokens until the call ends. @returns false if batches hold too many tokens; the refusal is counted */
  reserveTokens(tokens: number): boolean;
  /** Ends the call. Later calls of `end` have no effect. */
  end(): void;
}

/** The counters of Admission that a call under way changes. */
export interface SharedCounts {
  takeTokens(tokens: number): boolean;
  end(tokens: number): void;
}

export class CallUnderWay implements AdmittedCall {
  readonly #counts: SharedCounts;
  #tokens = 0;
  #ended = false;

  constructor(counts: SharedCounts) {
    this.#counts = counts;
  }

  reserveTokens(tokens: number): boolean {
    if (!this.#counts.takeTokens(tokens)) return false;
    this.#tokens += tokens;
    return true;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#counts.end(this.#tokens);
  }
}
