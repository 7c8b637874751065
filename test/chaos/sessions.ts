// What the clients of a chaos run know together: the sessions, their pairs, and which of them are over.

import type { Random } from './random.js';
import type { Held } from './recorder.js';

/** As many live sessions are kept; above, no new ones are begun. */
const MOST_LIVE = 160;
/** How long clients still ask about a session that is over, ms. */
const REMEMBERED_MS = 6_000;
const SUBJECTS = 40;

export interface ClientSession {
  readonly subject: string;
  /** All pairs that the clients hold, oldest first. */
  readonly pairs: Held[];
  /** When the newest pair but one was first sent, ms. */
  tradedMs: number;
  /** A client is waiting for the window to pass, to send a used token. */
  idleUntilMs: number;
}

/** How many runs this process has made: a late write of one must not end the sessions of the next. */
let runs = 0;

export class Sessions {
  readonly #run = ++runs;
  readonly #live: ClientSession[] = [];
  readonly #over: { readonly session: ClientSession; readonly atMs: number }[] = [];

  get hasRoom(): boolean {
    return this.#live.length < MOST_LIVE;
  }

  subject(random: Random): string {
    return `user-${this.#run}-${Math.floor(random.between(0, SUBJECTS))}`;
  }

  begin(first: Held): ClientSession {
    const session = { subject: first.subject, pairs: [first], tradedMs: 0, idleUntilMs: 0 };
    this.#live.push(session);
    return session;
  }

  /** A session that is active, as far as the clients know. */
  live(random: Random): ClientSession | undefined {
    return this.#live.length === 0 ? undefined : random.pick(this.#live);
  }

  /** A session that is over, since not long. */
  over(random: Random, nowMs: number): ClientSession | undefined {
    while (this.#over[0] && this.#over[0].atMs < nowMs - REMEMBERED_MS) this.#over.shift();
    return this.#over.length === 0 ? undefined : random.pick(this.#over).session;
  }

  /** A session that has been over for at most `withinMs`. */
  justOver(random: Random, withinMs: number): ClientSession | undefined {
    const fromMs = performance.now() - withinMs;
    const at = this.#over.findLastIndex(({ atMs }) => atMs < fromMs) + 1;
    return at === this.#over.length ? undefined : random.pick(this.#over.slice(at)).session;
  }

  /** The live sessions of a subject. */
  of(subject: string): ClientSession[] {
    return this.#live.filter((session) => session.subject === subject);
  }

  end(session: ClientSession): void {
    const at = this.#live.indexOf(session);
    if (at < 0) return;
    this.#live.splice(at, 1);
    this.#over.push({ session, atMs: performance.now() });
  }

  /** Takes a pair in, unless one of its generation is there. */
  learn(session: ClientSession, next: Held | undefined): void {
    if (!next || session.pairs.some(({ gen }) => gen === next.gen)) return;
    session.pairs.push(next);
    session.pairs.sort((a, b) => a.gen - b.gen);
  }
}

/** The newest pair of a session. */
export function newest({ pairs }: ClientSession): Held {
  const last = pairs.at(-1);
  if (!last) throw new Error('a session without a pair');
  return last;
}
