// Lease on a primary: which server may be used now, from what voters answered and when they were asked. Pure.
//
// A primary that was paused or cut off does not know that it was replaced. When it wakes, it reports itself as the primary
// and answers from an older state. So its own report is not enough. Voters are asked again and again: the Sentinels, or all
// nodes of the cluster. A vote names a server and the configuration epoch by which it has its place. A server can be
// named again after a failback. An epoch does not come back: a voter never returns to a vote that it has left, and all
// voters leave their votes in the order of the epochs. Two rules follow, and one exemption.
//
// 1. A process uses a server only while more than half of the voters have given one vote for it to questions of the last
//    LEASE_MS.
// 2. It begins to use a server only when more than half of the voters have given that vote for TAKEOVER_DELAY_MS, which is
//    longer.
//
// Proof. Process A uses server X by an older vote, and process B uses server Y by a newer one. A voter is in both halves:
// it gave the older vote to a question that A sent less than LEASE_MS before its use, and the newer one to B more than
// TAKEOVER_DELAY_MS before its use. It gave the older one first. So A's use was before B's. Only differences of a process's own
// monotonic clock are compared; TAKEOVER_DELAY_MS covers how far two such clocks drift apart.
//
// 3. Exemption. A server that is a voter, too, and names another one as the owner answers nothing for that owner's shards from
//    then on: a slot was moved from it, or it was replaced and knows. Its successor needs no takeover delay. Nor does a
//    server that names itself by a newer epoch. This process must have used it since its answer before, at most LEASE_MS ago.
//
// Assumed: two changes of one owner, of which at least one is a failover, are more than LEASE_MS apart.

/** How long a vote counts, from the moment at which it was asked for, ms. All processes must have the same. */
export const LEASE_MS = 1_500;
/** How long a vote must have been given before its server is used, ms. All processes must have the same. */
export const TAKEOVER_DELAY_MS = LEASE_MS + 50;

export interface Vote {
  readonly server: string;
  /** The configuration epoch by which the server has its place. */
  readonly epoch: number;
}

/** What a voter answered. All times are of this process's monotonic clock, ms. */
interface Answer {
  readonly vote: Vote | undefined;
  /** When it was last asked. */
  readonly askedMs: number;
  readonly receivedMs: number;
  /** When the first answer with this vote was received. */
  readonly sinceMs: number;
}

/** More than half of the voters named `vote.server`: it may be used from one moment until the other. */
interface Term {
  readonly vote: Vote;
  readonly fromMs: number;
  readonly untilMs: number;
}

const isSame = (a: Vote | undefined, b: Vote | undefined): boolean => a?.server === b?.server && a?.epoch === b?.epoch;

export class PrimaryLease {
  readonly #answers = new Map<string, Answer>();
  /** The vote that had a majority last. */
  #elected: Term | undefined;
  /** The term that was used last. */
  #used: Term | undefined;
  #usedMs = 0;
  /** What the server in use itself named. */
  #successor: Vote | undefined;

  /**
   * Takes in an answer. `count` must follow.
   * @param vote undefined: the voter names no server
   * @param askedMs before the question was sent
   * @param receivedMs when the answer had come
   */
  record(voter: string, vote: Vote | undefined, askedMs: number, receivedMs: number): void {
    const before = this.#answers.get(voter);
    if (before && this.#isUsed(voter, before, askedMs, receivedMs)) this.#successor = vote;
    const sinceMs = before && isSame(before.vote, vote) ? before.sinceMs : receivedMs;
    this.#answers.set(voter, { vote, askedMs, receivedMs, sinceMs });
  }

  /** Counts the votes. @param voters all that there are, whether they have answered or not */
  count(voters: ReadonlySet<string>): void {
    const majority = Math.floor(voters.size / 2) + 1;
    for (const voter of this.#answers.keys()) if (!voters.has(voter)) this.#answers.delete(voter);
    const answers = [...this.#answers.values()];
    for (const { vote } of answers) {
      const same = answers.filter((answer) => isSame(answer.vote, vote));
      if (vote === undefined || same.length < majority) continue;
      // A majority was asked at this moment or later, and a majority has given this vote since that moment or earlier.
      const askedMs = same.map((answer) => answer.askedMs).sort((a, b) => b - a)[majority - 1] ?? 0;
      const sinceMs = same.map((answer) => answer.sinceMs).sort((a, b) => a - b)[majority - 1] ?? 0;
      const fromMs = isSame(vote, this.#successor) ? Number.NEGATIVE_INFINITY : sinceMs + TAKEOVER_DELAY_MS;
      this.#elected = { vote, fromMs, untilMs: askedMs + LEASE_MS };
      return;
    }
  }

  /** The server that most voters name, whether it may be used yet or not. */
  get elected(): string | undefined {
    return this.#elected?.vote.server;
  }

  /** The server that may be used now; undefined: none. */
  holder(nowMs: number): string | undefined {
    const elected = this.#elected;
    if (!elected) return undefined;
    if (nowMs >= elected.fromMs && nowMs < elected.untilMs) this.#used = elected;
    const used = this.#used;
    // The same server under a newer vote: what the older one gave lasts until it is over.
    if (used?.vote.server !== elected.vote.server || nowMs >= used.untilMs) return undefined;
    this.#usedMs = nowMs;
    return used.vote.server;
  }

  /** Whether a server is in use, and was used after its answer before, which is at most a lease old. */
  #isUsed(server: string, before: Answer, askedMs: number, receivedMs: number): boolean {
    const used = this.#used;
    if (used?.vote.server !== server || this.#usedMs < before.receivedMs) return false;
    return receivedMs < used.untilMs && askedMs - before.askedMs <= LEASE_MS;
  }
}
