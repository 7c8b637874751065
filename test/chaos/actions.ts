// What a client of a chaos run can do with a session: which calls, at which node, and which answers it loses.

import { elapse } from '../support/waiting.js';
import { GRACE_MS } from './cluster.js';
import type { Random } from './random.js';
import type { Outcome } from './record.js';
import type { Held, Recorder } from './recorder.js';
import { type ClientSession, newest, type Sessions } from './sessions.js';

/** How long a client with patience waits for an answer, ms. */
const PATIENCE_MS = 4_000;
/** How long one without it waits, ms: often not long enough. */
const HASTE_MS = [1, 40] as const;
/** How often a token is asked about together with another. */
const AMONG = 0.3;
/** By how much one of two racers may be ahead, ms. */
const RACE_LEAD_MS = 2;

/** Each does one thing, to its end, and says how the last call of it ended; undefined: there was nothing to do. */
export class Actions {
  readonly #random: Random;
  readonly #recorder: Recorder;
  readonly #sessions: Sessions;

  constructor(random: Random, recorder: Recorder, sessions: Sessions) {
    this.#random = random;
    this.#recorder = recorder;
    this.#sessions = sessions;
  }

  get #node(): number {
    return this.#random.chance(0.5) ? 1 : 0;
  }

  async login(subject = this.#sessions.subject(this.#random)): Promise<void> {
    const first = await this.#recorder.issue(this.#node, subject, PATIENCE_MS);
    if (first) this.#sessions.begin(first);
  }

  async validate(session: ClientSession, node = this.#node): Promise<Outcome> {
    const pair = this.#random.chance(0.7) ? newest(session) : this.#random.pick(session.pairs);
    const outcome = await this.#recorder.validate(node, pair, PATIENCE_MS, this.#random.chance(AMONG));
    return this.#note(session, outcome);
  }

  /** Sends a refresh token; the answer is lost unless it is taken in. */
  async send(session: ClientSession, of: Held, node = this.#node, deadlineMs = PATIENCE_MS, taken = true) {
    if (of === newest(session)) session.tradedMs = performance.now();
    const { next, outcome } = await this.#recorder.refresh(node, of, deadlineMs);
    if (taken) this.#sessions.learn(session, next);
    return this.#note(session, outcome);
  }

  async refresh(session: ClientSession): Promise<Outcome | undefined> {
    // Some sessions are left alone, so that they expire, or a used token of theirs comes after the window.
    if (session.idleUntilMs > performance.now()) return undefined;
    if (this.#random.chance(0.05)) session.idleUntilMs = performance.now() + this.#random.between(GRACE_MS, 14_000);
    return this.send(session, newest(session));
  }

  /** The answer comes, and is lost on its way. */
  async lose(session: ClientSession): Promise<Outcome> {
    const token = newest(session);
    await this.send(session, token, this.#node, PATIENCE_MS, false);
    await elapse(this.#random.between(0, 300), 'the client waits before it tries again');
    return this.send(session, token);
  }

  /** The client gives up, maybe before the answer, and sends again. */
  async hurry(session: ClientSession): Promise<Outcome> {
    const token = newest(session);
    await this.send(session, token, this.#node, Math.ceil(this.#random.between(...HASTE_MS)));
    return this.send(session, token);
  }

  async twins(session: ClientSession): Promise<Outcome | undefined> {
    const token = newest(session);
    const outcomes = await Promise.all([0, 1].map((node) => this.send(session, token, node)));
    return outcomes[0];
  }

  /** Sends the last token once more, within the window. */
  async retry(session: ClientSession): Promise<Outcome | undefined> {
    const last = session.pairs.at(-2);
    if (!last || performance.now() - session.tradedMs > 0.6 * GRACE_MS) return undefined;
    return this.send(session, last);
  }

  /** Sends a used token after the window: a thief, or a client that keeps old tokens. */
  async steal(session: ClientSession): Promise<Outcome | undefined> {
    const used = session.pairs.slice(0, -1);
    if (used.length === 0 || performance.now() - session.tradedMs < GRACE_MS + 300) return undefined;
    const outcome = await this.send(session, this.#random.pick(used));
    return outcome.is === 'unknown' ? outcome : this.#probe(session);
  }

  /** Refreshes and logs out at once, at two nodes, the one or the other a moment sooner. */
  async race(session: ClientSession): Promise<Outcome> {
    const node = this.#node;
    const token = newest(session);
    const by = this.#random.chance(0.5) ? 'refresh' : 'access';
    const leadMs = this.#random.between(-RACE_LEAD_MS, RACE_LEAD_MS);
    const [, outcome] = await Promise.all([
      elapse(Math.max(0, -leadMs), 'one of the two comes later').then(() => this.send(session, token, node)),
      elapse(Math.max(0, leadMs), 'one of the two comes later').then(() => this.#end(session, token, 1 - node, by)),
    ]);
    await this.#probe(session);
    return outcome;
  }

  async logout(session: ClientSession): Promise<Outcome> {
    const by = this.#random.pick(['access', 'refresh', 'both'] as const);
    const of = this.#random.chance(0.8) ? newest(session) : this.#random.pick(session.pairs);
    // The answer may be lost, and the client may try again, or not.
    const hasty = this.#random.chance(0.25);
    const outcome = await this.#end(session, of, this.#node, by, hasty ? this.#haste : PATIENCE_MS);
    if (outcome.is === 'unknown' && this.#random.chance(0.5)) await this.#end(session, of, this.#node, by);
    return this.#probe(session);
  }

  get #haste(): number {
    return Math.ceil(this.#random.between(...HASTE_MS));
  }

  async #end(
    session: ClientSession,
    of: Held,
    node: number,
    by: 'access' | 'refresh' | 'both',
    deadlineMs = PATIENCE_MS,
  ) {
    const outcome = await this.#recorder.logout(node, of, by, false, deadlineMs);
    if (outcome.is === 'done') this.#sessions.end(session);
    return outcome;
  }

  async everywhere(session: ClientSession): Promise<Outcome> {
    const by = this.#random.pick(['access', 'refresh', 'both'] as const);
    const outcome = await this.#recorder.logout(this.#node, newest(session), by, true, PATIENCE_MS);
    return this.#afterCutOff(session.subject, outcome);
  }

  async revoke({ subject }: ClientSession): Promise<Outcome> {
    const deadlineMs = this.#random.chance(0.25) ? this.#haste : PATIENCE_MS;
    return this.#afterCutOff(subject, await this.#recorder.revoke(this.#node, subject, deadlineMs));
  }

  /** Looks at the sessions that must be over, and begins one that must not. */
  async #afterCutOff(subject: string, outcome: Outcome): Promise<Outcome> {
    if (outcome.is !== 'done') return outcome;
    const sessions = this.#sessions.of(subject);
    await Promise.all([...sessions.map((session) => this.#probe(session)), this.login(subject)]);
    return outcome;
  }

  /** Asks both nodes about a session at once. */
  async #probe(session: ClientSession): Promise<Outcome> {
    const pair = newest(session);
    const [outcome] = await Promise.all([
      this.validate(session, 0),
      this.#recorder.validate(1, pair, PATIENCE_MS, this.#random.chance(AMONG)),
    ]);
    return outcome;
  }

  /** What is over, or expired for good, is no longer a session to go on with. */
  #note(session: ClientSession, outcome: Outcome): Outcome {
    if (outcome.is !== 'refused') return outcome;
    const { problem } = outcome;
    if (problem === 'REVOKED') this.#sessions.end(session);
    if (problem === 'EXPIRED' && newest(session).pair.refreshExpiresAt * 1000 <= Date.now())
      this.#sessions.end(session);
    return outcome;
  }
}
