// One client of a chaos run: what it does next, and how long it waits before.

import { elapse } from '../support/waiting.js';
import { Actions } from './actions.js';
import type { Random } from './random.js';
import type { Outcome } from './record.js';
import type { Recorder } from './recorder.js';
import { type ClientSession, newest, type Sessions } from './sessions.js';

/** Between two actions of one client, ms. */
const PAUSE_MS = [5, 70] as const;
/** After an answer that says nothing a client waits longer, ms. */
const BACK_OFF_MS = [30, 150] as const;

type Action = (session: ClientSession) => Promise<Outcome | undefined>;

export class Client {
  readonly #random: Random;
  readonly #actions: Actions;
  readonly #sessions: Sessions;
  /** What is done with a session, and how often, in parts of a thousand. */
  readonly #shares: readonly (readonly [parts: number, action: Action])[];

  /** @param logouts how often it logs out, in parts of a thousand, at most 390 */
  constructor(random: Random, recorder: Recorder, sessions: Sessions, logouts = 30) {
    this.#random = random;
    this.#actions = new Actions(random, recorder, sessions);
    this.#sessions = sessions;
    this.#shares = [
      [390 - logouts, (session) => this.#actions.validate(session)],
      [250, (session) => this.#actions.refresh(session)],
      [60, (session) => this.#actions.lose(session)],
      [60, (session) => this.#actions.hurry(session)],
      [90, (session) => this.#actions.twins(session)],
      [60, (session) => this.#actions.retry(session)],
      [40, (session) => this.#actions.steal(session)],
      [40, (session) => this.#actions.race(session)],
      [logouts, (session) => this.#actions.logout(session)],
      [6, (session) => this.#actions.everywhere(session)],
      [4, (session) => this.#actions.revoke(session)],
    ];
  }

  /** Acts until the signal. */
  async run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const outcome = await this.#act();
      const [least, most] = outcome?.is === 'unknown' ? BACK_OFF_MS : PAUSE_MS;
      await elapse(this.#random.between(least, most), 'paces calls');
    }
  }

  async #act(): Promise<Outcome | undefined> {
    const random = this.#random;
    if (random.chance(0.12) && this.#sessions.hasRoom) return void (await this.#actions.login());
    const over = random.chance(0.12) ? this.#sessions.over(random, performance.now()) : undefined;
    if (over) return random.chance(0.7) ? this.#actions.validate(over) : this.#actions.send(over, newest(over));
    const session = this.#sessions.live(random);
    if (!session) return void (await this.#actions.login());
    return this.#choose()(session);
  }

  #choose(): Action {
    let at = this.#random.between(0, 1_000);
    for (const [parts, action] of this.#shares) {
      at -= parts;
      if (at < 0) return action;
    }
    return (session) => this.#actions.validate(session);
  }
}
