// Lease on a primary: which server may be used now, by the voters' answers and the times of the questions. Pure.
//
// A primary that was paused or cut off does not detect that it was replaced. When it resumes, it reports itself as the
// primary and answers from an older state. So its own report is not enough. Voters are asked again and again: the
// Sentinels, or all nodes of the cluster. A vote names a server and its configuration epoch. A server can be named
// again after a failback. An epoch does not come back: a voter never returns to a vote that it has left, and all voters
// leave their votes in the order of the epochs. Two rules follow, and one exemption.
//
// 1. A process uses a server only while more than half of the voters have given one vote for it to questions of the
//    last LEASE_MS.
// 2. It begins to use a server only when more than half of the voters have given that vote for TAKEOVER_DELAY_MS,
//    which is longer.
//
// Proof. Process A uses server X by an older vote, and process B uses server Y by a newer one. A voter is in both
// halves: it gave the older vote to a question that A sent less than LEASE_MS before its use, and the newer one to B
// more than TAKEOVER_DELAY_MS before its use. It gave the older one first. So A's use was before B's. Only differences
// of a process's own monotonic clock are compared; TAKEOVER_DELAY_MS covers how far two such clocks drift apart.
//
// 3. Exemption. A server that is a voter, too, and names another one as the owner answers nothing for that owner's
//    shards from then on: a slot was moved from it, or it has learned that it was replaced. Its successor needs no
//    takeover delay. Nor does a server that names itself by a newer epoch. This process must have used it since its
//    previous answer, at most LEASE_MS ago.
//
// Assumed: two changes of one owner, of which at least one is a failover, are more than LEASE_MS apart.

/** How long a vote counts, from the time of the question, ms. All processes must have the same value. */
export const LEASE_MS = 1_500;
/** How long a vote must have been given before its server is used, ms. All processes must have the same value. */
export const TAKEOVER_DELAY_MS = LEASE_MS + 50;

export interface Vote {
  readonly server: string;
  /** The server's configuration epoch. */
  readonly epoch: number;
}

/** The answer of a voter. All times are of this process's monotonic clock, ms. */
export interface VoterAnswer {
  /** undefined: the voter names no server. */
  readonly vote: Vote | undefined;
  /** The time before the question was sent. */
  readonly askedMs: number;
  /** The time after the answer was received. */
  readonly receivedMs: number;
}

/** The last answer of a voter. */
interface Answer extends VoterAnswer {
  /** The receipt of the first answer with this vote. */
  readonly sinceMs: number;
}

/** The time in which a majority allows the use of `vote.server`. */
interface Term {
  readonly vote: Vote;
  readonly fromMs: number;
  readonly untilMs: number;
}

const isSame = (a: Vote | undefined, b: Vote | undefined): boolean => a?.server === b?.server && a?.epoch === b?.epoch;

export class PrimaryLease {
  readonly #answers = new Map<string, Answer>();
  /** The last vote with a majority. */
  #elected: Term | undefined;
  /** The term that was used last. */
  #used: Term | undefined;
  #usedMs = 0;
  /** The vote of the server in use itself. */
  #successor: Vote | undefined;

  /** Records a voter's answer; `count` must follow. @returns whether the vote is another one than before */
  record(voter: string, { vote, askedMs, receivedMs }: VoterAnswer): boolean {
    const before = this.#answers.get(voter);
    if (before && this.#isUsed(voter, before, askedMs, receivedMs)) this.#successor = vote;
    const isKept = before !== undefined && isSame(before.vote, vote);
    this.#answers.set(voter, { vote, askedMs, receivedMs, sinceMs: isKept ? before.sinceMs : receivedMs });
    return !isKept;
  }

  /** Counts the votes. @param voters all voters, whether they have answered or not */
  count(voters: ReadonlySet<string>): void {
    const majority = Math.floor(voters.size / 2) + 1;
    for (const voter of this.#answers.keys()) if (!voters.has(voter)) this.#answers.delete(voter);
    const answers = [...this.#answers.values()];
    for (const { vote } of answers) {
      const same = answers.filter((answer) => isSame(answer.vote, vote));
      if (vote === undefined || same.length < majority) continue;
      // A majority was asked at `askedMs` or later, and a majority has given this vote since `sinceMs` or earlier.
      const askedMs = same.map((answer) => answer.askedMs).sort((a, b) => b - a)[majority - 1] ?? 0;
      const sinceMs = same.map((answer) => answer.sinceMs).sort((a, b) => a - b)[majority - 1] ?? 0;
      const fromMs = isSame(vote, this.#successor) ? Number.NEGATIVE_INFINITY : sinceMs + TAKEOVER_DELAY_MS;
      this.#elected = { vote, fromMs, untilMs: askedMs + LEASE_MS };
      return;
    }
  }

  /** The server that a majority names, whether it may be used yet or not. */
  get elected(): string | undefined {
    return this.#elected?.vote.server;
  }

  /** The server that may be used now; undefined: none. */
  holder(nowMs: number): string | undefined {
    const elected = this.#elected;
    if (!elected) return undefined;
    if (nowMs >= elected.fromMs && nowMs < elected.untilMs) this.#used = elected;
    const used = this.#used;
    // The same server under a newer vote: the older term lasts until its end.
    if (used?.vote.server !== elected.vote.server || nowMs >= used.untilMs) return undefined;
    this.#usedMs = nowMs;
    return used.vote.server;
  }

  /** Whether a server is in use, and was used after its previous answer, which is at most a lease old. */
  #isUsed(server: string, before: Answer, askedMs: number, receivedMs: number): boolean {
    const used = this.#used;
    if (used?.vote.server !== server || this.#usedMs < before.receivedMs) return false;
    return receivedMs < used.untilMs && askedMs - before.askedMs <= LEASE_MS;
  }
}
