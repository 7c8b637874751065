// Random histories of the real core: clients, a thief and operators call two nodes.
// A generator chooses the order of all steps of all calls. The answers are judged by what really happened before what.

import type { Context } from '../../src/core/context.js';
import { LEDGER_MS } from '../../src/core/durability/limits.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { AuditEvent } from '../../src/core/events/audit.js';
import type { Policy } from '../../src/core/policy.js';
import type { Call } from '../../src/core/ports.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import { issue } from '../../src/core/use-cases/issue.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { revokeSubject } from '../../src/core/use-cases/revoke-subject.js';
import { type Validation, validate } from '../../src/core/use-cases/validate.js';
import { aCall, DAY, loginOf, MINUTE, type Node, node, POLICY, run, SECOND, settle, World } from './world.js';

/** What may go wrong in a history. */
export interface Weather {
  /** How far a node's idea of the store's time may be behind, ms. */
  readonly lagMs?: number;
  /** Calls may freeze between their read and their swap. */
  readonly stalls?: boolean;
  /** The store may be emptied. */
  readonly flushes?: boolean;
  /** The nodes may lose the store for a while. */
  readonly outages?: boolean;
  /** The store may go back by some seconds, as a failover or a snapshot does; the nodes live on. */
  readonly setbacks?: boolean;
  /** REFRESH_TTL may change, days; time then moves by days too. */
  readonly refreshDays?: readonly number[];
  /** Planted bug: swaps that ignore what they expect. */
  readonly ignoreExpected?: boolean;
  /** Planted bug: no node remembers what was acknowledged. */
  readonly forgetful?: boolean;
}

/** A session as its honest client, and the judge, know it. */
interface Session {
  readonly subject: string;
  /** The pair that the client holds, and all that were answered. */
  current: Pair;
  readonly pairs: Pair[];
  readonly bornSeq: number;
  /** Why the client may find itself logged out; undefined: it may not. */
  excuse?: string;
  /** When an end was acknowledged; from then on none of its tokens is active. */
  endedSeq?: number;
  /** Since when the client has been sending its current token, and when it got it, Unix ms. */
  sentMs?: number;
  gotMs: number;
}

type Outcome = Pair | Validation | TokenRefused | StoreUnavailable | undefined;

interface Running {
  readonly name: string;
  readonly fromSeq: number;
  readonly session?: Session;
  /** The events that the call gave to the audit. */
  readonly events: string[];
}

const generationOf = (token: string): number => JSON.parse(token).payload.gen;
const isPair = (outcome: Outcome): outcome is Pair => outcome !== undefined && 'refreshToken' in outcome;

/** One history. `choices` are the generator's numbers, 0 to 1, one a decision; the history ends with them. */
export async function violations(choices: readonly number[], weather: Weather): Promise<readonly string[]> {
  const history = new History(choices, weather);
  await history.play();
  return [...history.found];
}

class History {
  readonly found = new Set<string>();
  readonly #choices: readonly number[];
  readonly #weather: Weather;
  readonly #world = new World();
  readonly #sessions: Session[] = [];
  readonly #running: Running[] = [];
  readonly #successors = new Map<string, string>();
  #next = 0;
  #seq = 0;
  #lossSeq = 0;
  #awayMs = 0;
  #snapshot: { readonly atMs: number; readonly kept: ReadonlyMap<string, unknown> } | undefined;
  #nodes: Node[];

  constructor(choices: readonly number[], weather: Weather) {
    this.#choices = choices;
    this.#weather = weather;
    this.#world.ignoreExpected = weather.ignoreExpected ?? false;
    this.#nodes = this.#makeNodes(POLICY);
  }

  async play(): Promise<void> {
    const [first] = this.#nodes;
    if (first) await run(this.#world, first.births.write());
    while (this.#next < this.#choices.length) await this.#turn(this.#draw());
    await this.#drain();
  }

  #makeNodes(policy: Policy): Node[] {
    const lagMs = this.#weather.lagMs ?? 0;
    const nodes = [0, 1].map((n) =>
      node(
        this.#world.store(n, () => (n === 0 ? 0 : lagMs)),
        policy,
      ),
    );
    const forget = { acknowledge: async () => {} };
    if (this.#weather.forgetful) for (const { ledger } of nodes) Object.assign(ledger, forget);
    return nodes;
  }

  /** The time that counts for windows and patience: without the time in which the store was away. */
  get #answeredMs(): number {
    return this.#world.nowMs - this.#awayMs;
  }

  #draw(): number {
    return this.#choices[this.#next++] ?? 0;
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.min(Math.floor(this.#draw() * items.length), items.length - 1)] as T;
  }

  async #turn(x: number): Promise<void> {
    const session = this.#sessions.length > 0 ? this.#pick(this.#sessions) : undefined;
    if (x < 0.45 && this.#world.pending.length > 0) return this.#step();
    if (x < 0.6) return this.#wait();
    if (!session || (x < 0.66 && this.#sessions.length < 6)) return this.#login();
    if (x < 0.8) return this.#refresh(session);
    if (x < 0.91) return this.#validate(session);
    if (x < 0.94) return this.#logout(session, false);
    if (x < 0.965) return this.#logout(session, true);
    if (x < (this.#weather.outages || this.#weather.setbacks ? 0.975 : 0.985)) return this.#steal(session);
    return this.#misfortune();
  }

  async #step(): Promise<void> {
    const step = this.#pick(this.#world.pending);
    if (this.#weather.stalls && step.kind === 'swap' && this.#draw() < 0.15) {
      // The call sleeps while all others come to their end and time goes by.
      const others = (): typeof step | undefined => this.#world.pending.find((other) => other !== step);
      for (let other = others(); other; other = others()) {
        other.take();
        await settle();
      }
      this.#world.nowMs += this.#pick([3, 40]) * SECOND;
    }
    step.take();
    await settle();
  }

  async #wait(): Promise<void> {
    if (this.#draw() < 0.5) {
      this.#world.nowMs += this.#pick([0, 1, 1, 10, 100]);
      return;
    }
    await this.#drain();
    const days = this.#weather.refreshDays ? [DAY, 3 * DAY] : [];
    this.#world.nowMs += this.#pick([SECOND, 3 * SECOND, 10 * SECOND, 31 * SECOND, 2 * MINUTE, ...days]);
  }

  #login(): Promise<void> {
    const subject = this.#pick(['u', 'vv']);
    return this.#start('issue', undefined, (context, call) => issue(context, call, loginOf(subject)), subject);
  }

  /** An honest client sends its token, again if need be, while the first sending is fresh; then it gives up. */
  async #refresh(session: Session): Promise<void> {
    if (this.#running.filter((each) => each.session === session && each.name === 'refresh').length >= 2) return;
    session.sentMs ??= this.#answeredMs;
    if (this.#answeredMs - session.sentMs > POLICY.graceMs - 12 * SECOND) {
      session.excuse ??= 'gave up';
      return;
    }
    const { refreshToken } = session.current;
    await this.#start('refresh', session, (context, call) => refresh(context, call, refreshToken), refreshToken);
  }

  async #validate(session: Session): Promise<void> {
    const { accessToken } = this.#pick(session.pairs);
    await this.#start('validate', session, (context, call) => validate(context, call, accessToken));
  }

  async #logout(session: Session, allSessions: boolean): Promise<void> {
    const bySubject = (each: Session): boolean => each.subject === session.subject;
    for (const each of allSessions ? this.#sessions.filter(bySubject) : [session]) each.excuse ??= 'logout';
    if (allSessions && this.#draw() < 0.3) {
      await this.#start('everywhere', session, (context, call) => revokeSubject(context, call, session.subject));
      return;
    }
    const byAccess = this.#draw() < 0.5;
    const request = {
      accessToken: byAccess ? session.current.accessToken : '',
      refreshToken: byAccess ? '' : session.current.refreshToken,
      allSessions,
    };
    const name = allSessions ? 'everywhere' : 'logout';
    await this.#start(name, session, (context, call) => logout(context, call, request));
  }

  /** A thief comes with a token whose successor the client has had for long. */
  async #steal(session: Session): Promise<void> {
    const spent = session.pairs.filter(
      (pair) => generationOf(pair.refreshToken) < generationOf(session.current.refreshToken),
    );
    if (spent.length === 0 || this.#answeredMs - session.gotMs < POLICY.graceMs + 75 * SECOND) return;
    session.excuse ??= 'theft';
    const { refreshToken } = this.#pick(spent);
    await this.#start('steal', session, (context, call) => refresh(context, call, refreshToken));
  }

  /** Both nodes find another server; what waited for the old one fails. They remember all that it does not. */
  async #setback(): Promise<void> {
    const { nowMs } = this.#world;
    if (this.#snapshot && nowMs - this.#snapshot.atMs < LEDGER_MS) {
      this.#world.goBackTo(this.#snapshot.kept);
      await settle();
      for (const { ledger } of this.#nodes) await run(this.#world, ledger.reconcile());
    }
    this.#snapshot = { atMs: nowMs, kept: this.#world.snapshot() };
  }

  /** The nodes lose the store for a while. That time does not count as a client's patience. */
  async #outage(): Promise<void> {
    this.#world.setReachable(false);
    await settle();
    this.#awayMs += 40 * SECOND;
    this.#world.nowMs += 40 * SECOND;
    this.#world.setReachable(true);
  }

  async #misfortune(): Promise<void> {
    if (this.#weather.flushes) {
      this.#world.nowMs += 2;
      this.#world.flush();
      this.#lossSeq = ++this.#seq;
      for (const session of this.#sessions) session.excuse ??= 'loss';
    }
    if (this.#weather.outages) return this.#outage();
    if (this.#weather.setbacks) return this.#setback();
    const days = this.#weather.refreshDays;
    if (days) this.#nodes = this.#makeNodes({ ...POLICY, refreshTtlMs: this.#pick(days) * DAY });
  }

  async #start(
    name: string,
    session: Session | undefined,
    call: (context: Context, call: Call) => Promise<Pair | Validation | void>,
    detail = '',
  ): Promise<void> {
    const running: Running = { name, fromSeq: ++this.#seq, events: [], ...(session ? { session } : {}) };
    this.#running.push(running);
    const finish = (outcome: Outcome): void => this.#finish(running, outcome, detail);
    const audit = ({ event }: AuditEvent): void => void running.events.push(event);
    call(this.#pick(this.#nodes), aCall(audit)).then(
      (outcome) => finish(outcome || undefined),
      (error: unknown) => {
        if (error instanceof TokenRefused || error instanceof StoreUnavailable) finish(error);
        else this.found.add(`crash: ${error instanceof Error ? error.stack : error}`);
      },
    );
    await settle();
  }

  #finish(running: Running, outcome: Outcome, detail: string): void {
    this.#running.splice(this.#running.indexOf(running), 1);
    const seq = ++this.#seq;
    const { name, session, fromSeq } = running;
    if (name === 'issue' && isPair(outcome)) return this.#begun(outcome, detail, fromSeq);
    if (!session) return;
    if (name === 'refresh') return this.#refreshed(session, outcome, detail, fromSeq);
    if (name === 'validate') return this.#validated(session, outcome as Validation, fromSeq);
    const wasOver = session.endedSeq !== undefined && session.endedSeq < fromSeq;
    if (name === 'steal' && isPair(outcome)) this.found.add(wasOver ? 'ended token refreshed' : 'used token accepted');
    if (name === 'logout' && outcome === undefined) session.endedSeq ??= seq;
    // A retry whose token an earlier cut-off denies is answered, and ends nothing that began since.
    if (name === 'everywhere' && outcome === undefined && running.events.includes('subject_ended')) {
      for (const each of this.#sessions) {
        if (each.subject === session.subject && each.bornSeq < fromSeq) each.endedSeq ??= seq;
      }
    }
  }

  #begun(pair: Pair, subject: string, fromSeq: number): void {
    const session: Session = { subject, current: pair, pairs: [pair], bornSeq: this.#seq, gotMs: this.#answeredMs };
    const cut = this.#running.some((each) => each.name === 'everywhere' && each.session?.subject === subject);
    const cutMeanwhile = this.#sessions.some((each) => each.subject === subject && (each.endedSeq ?? 0) > fromSeq);
    if (cut || cutMeanwhile) session.excuse = 'cut off while logging in';
    if (this.#lossSeq > fromSeq) session.excuse = 'loss while logging in';
    this.#sessions.push(session);
  }

  #refreshed(session: Session, outcome: Outcome, token: string, fromSeq: number): void {
    if (!isPair(outcome)) {
      const refused = outcome instanceof TokenRefused && outcome.problem !== 'EXPIRED';
      // A late sending of a token whose successor has come is refused, and harms nothing.
      const late = refused && outcome.problem === 'REUSED' && session.current.refreshToken !== token;
      if (refused && !session.excuse && !late) this.found.add(`honest client refused: ${outcome.message}`);
      return;
    }
    const known = this.#successors.get(token);
    const answer = JSON.stringify(outcome);
    // A call that was under way while the store was emptied may answer another pair; neither of the two is active.
    const emptied = this.#lossSeq > session.bornSeq;
    if (known !== undefined && known !== answer && !emptied) this.found.add('two successors of one token');
    this.#successors.set(token, answer);
    if (session.endedSeq !== undefined && session.endedSeq < fromSeq) this.found.add('ended token refreshed');
    if (!session.pairs.some((pair) => pair.refreshToken === outcome.refreshToken)) session.pairs.push(outcome);
    const lost = this.#draw() < 0.15;
    if (lost || generationOf(outcome.refreshToken) <= generationOf(session.current.refreshToken)) return;
    session.current = outcome;
    delete session.sentMs;
    session.gotMs = this.#answeredMs;
  }

  #validated(session: Session, outcome: Validation | StoreUnavailable, fromSeq: number): void {
    if (outcome instanceof StoreUnavailable) return;
    const over = session.endedSeq !== undefined && session.endedSeq < fromSeq;
    if (outcome.active && over) this.found.add('active after its end was acknowledged');
    if (!outcome.active && outcome.problem !== 'EXPIRED' && !session.excuse) {
      this.found.add(`standing session denied: ${outcome.problem} ${outcome.why}`);
    }
  }

  async #drain(): Promise<void> {
    while (this.#world.pending.length > 0) {
      this.#world.pending[0]?.take();
      await settle();
    }
  }
}
