// Owns the rule by which a server is believed to be the primary of something: what witnesses say, and for how long. Pure.
//
// A primary that was paused or cut off does not know that another one has its place: it wakes, says that it is the
// primary, and answers from an older state. So what it says of itself is not enough. Witnesses are asked, again and again:
// the Sentinels, or all nodes of the cluster. A witness never goes back to the primary before once it has heard of the
// next. So two rules keep two processes from using two primaries at once, whatever is paused or cut off:
//
// - A primary is used only while more than half of the witnesses have said so to questions of the last LEASE_MS.
// - A primary is used only after more than half of them have said so for REST_MS, which is longer.
//
// Two such halves have a witness in common. It said "the old one" to who still uses that less than LEASE_MS ago, and "the
// new one" to who uses this more than REST_MS ago: so the last use of the old one was over before the first of the new.
// Times are of each process's own steady clock, and only differences count. All processes must have the same two bounds.

/** For how long a word counts, from the moment at which it was asked for, ms. */
export const LEASE_MS = 1_500;
/** How long a word must have been given before it is acted on: a lease, and what two steady clocks run apart. */
export const REST_MS = LEASE_MS + 50;

/** All times are of the process's steady clock, ms. */
interface Word {
  readonly says: string;
  /** When it was last asked for. */
  readonly askedMs: number;
  /** Since when it is known to have been given. */
  readonly sinceMs: number;
}

/** What is believed: `primary` may be used from the one moment to the other. */
export interface Verdict {
  readonly primary: string | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Nothing is believed. */
export const NOTHING: Verdict = {
  primary: undefined,
  fromMs: Number.POSITIVE_INFINITY,
  untilMs: Number.NEGATIVE_INFINITY,
};

export class Belief {
  readonly #words = new Map<string, Word>();
  readonly #selfKnowing: boolean;

  /**
   * @param selfKnowing whether those that may be believed are witnesses themselves, and one that says that another has
   *   its place answers nobody any more. Then nothing need rest that all witnesses say.
   */
  constructor(selfKnowing: boolean) {
    this.#selfKnowing = selfKnowing;
  }

  /**
   * Takes in what a witness says.
   * @param says undefined: nothing
   * @param askedMs before the question was sent
   * @param receivedMs when the answer had come
   * @param heldMs for how long it has said so, by its own account
   */
  hear(witness: string, says: string | undefined, askedMs: number, receivedMs: number, heldMs = 0): void {
    const before = this.#words.get(witness);
    if (says === undefined) {
      this.#words.delete(witness);
      return;
    }
    const told = receivedMs - heldMs;
    if (before?.says !== says) {
      this.#words.set(witness, { says, askedMs, sinceMs: before ? Math.max(told, before.askedMs) : told });
      return;
    }
    // In a long silence there may have been another one in between.
    const sinceMs = askedMs - before.askedMs > LEASE_MS ? told : before.sinceMs;
    this.#words.set(witness, { says, askedMs, sinceMs });
  }

  /** @param witnesses all that there are, whether they have been heard or not */
  verdict(witnesses: ReadonlySet<string>): Verdict {
    const most = Math.floor(witnesses.size / 2) + 1;
    const words = [...this.#words].filter(([witness]) => witnesses.has(witness)).map(([, word]) => word);
    const counts = new Map<string, Word[]>();
    for (const word of words) counts.set(word.says, [...(counts.get(word.says) ?? []), word]);
    const [primary, of] = [...counts].find(([, each]) => each.length >= most) ?? [];
    if (!of) return NOTHING;
    const at = (moments: readonly number[]): number => moments[most - 1] ?? Number.POSITIVE_INFINITY;
    // So many have been asked at that moment or later, and so many have said so since that moment or sooner.
    const askedMs = at(of.map((word) => word.askedMs).sort((a, b) => b - a));
    const sinceMs = at(of.map((word) => word.sinceMs).sort((a, b) => a - b));
    const all = this.#selfKnowing && of.length === witnesses.size;
    return { primary, fromMs: all ? Number.NEGATIVE_INFINITY : sinceMs + REST_MS, untilMs: askedMs + LEASE_MS };
  }
}
