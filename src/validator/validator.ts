// The validator: answers from what it knows, and asks the service for the rest.

import type { Duration, ValidateOptions, Validation, Validator, ValidatorState } from './api.js';
import { Asker, type AskerOptions } from './asker.js';
import { type Clock, momentNow } from './clock.js';
import { type Answer, elapsedMs, isDue, isGood, type Moment } from './freshness.js';
import { gatherMs } from './gathering.js';
import { KeySet } from './key-set.js';
import { Knowledge, UNKNOWN, type Unknown } from './knowledge.js';
import { LocalCheck, rulesFor } from './local-check.js';
import { readStaleness, readTimeout, type Settings } from './options.js';

const READY_TIMEOUT = '10s';
/** An age that no answer has: only what can never change is used then. */
const NO_AGE = Number.NEGATIVE_INFINITY;

export type ValidatorParts = Pick<AskerOptions, 'clock' | 'random' | 'connections'>;

export class LocalValidator implements Validator {
  readonly #maxStalenessMs: number;
  readonly #clock: Clock;
  readonly #connections: ValidatorParts['connections'];
  readonly #keys: KeySet;
  readonly #knowledge: Knowledge;
  readonly #asker: Asker;
  readonly #created: Moment;
  #hits = 0;
  #isClosed = false;

  constructor(settings: Settings, parts: ValidatorParts) {
    const { clock, random, connections } = parts;
    const { deadlineMs, maxRemembered, issuer, audience } = settings;
    this.#maxStalenessMs = settings.maxStalenessMs;
    this.#clock = clock;
    this.#connections = connections;
    this.#created = momentNow(clock);
    this.#keys = new KeySet({ clock, random, fetch: () => connections.keySet(deadlineMs) });
    const check = new LocalCheck(rulesFor(issuer, audience));
    this.#knowledge = new Knowledge({ check, keys: this.#keys, random, maxRemembered });
    this.#asker = new Asker({
      ...settings,
      ...parts,
      learn: (ask, result, sent) => this.#knowledge.learn(ask, result, sent),
      renewalFailed: (text) => this.#knowledge.renewLater(text),
    });
    void this.#keys.fetch();
  }

  async ready(timeout: Duration = READY_TIMEOUT): Promise<void> {
    await this.#keys.known(readTimeout(timeout));
  }

  validateNow(token: string): Validation | undefined {
    const now = momentNow(this.#clock);
    const found = this.#lookUp(token, this.#maxStalenessMs, now);
    return 'active' in found ? found : undefined;
  }

  // Not `async`: a remembered answer needs one promise, and no more.
  validate(token: string, options?: ValidateOptions): Promise<Validation> {
    try {
      const maxStalenessMs =
        options === undefined ? this.#maxStalenessMs : readStaleness(options, this.#maxStalenessMs);
      const found = this.#lookUp(token, maxStalenessMs, momentNow(this.#clock));
      if ('active' in found) return Promise.resolve(found);
      return this.#asker.ask(token, found.claims, maxStalenessMs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  state(): ValidatorState {
    const now = momentNow(this.#clock);
    const { answeredSent, isFailing } = this.#asker.contact;
    const staleMs = isFailing ? elapsedMs(answeredSent ?? this.#created, now) : 0;
    return {
      phase: this.#phase(staleMs),
      staleMs,
      keys: this.#keys.countAt(now),
      remembered: this.#knowledge.size,
      ...this.#asker.counts,
      hits: this.#hits,
      refusedHere: this.#knowledge.refusedHere,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keys.close();
    this.#asker.close();
    this.#connections.close();
    this.#knowledge.clear();
  }

  /**
   * What is known of a token without a call.
   * @param maxStalenessMs undefined: only what can never change
   */
  #lookUp(token: string, maxStalenessMs: number | undefined, now: Moment): Validation | Unknown {
    if (typeof token !== 'string') throw new TypeError('token is not a string; wanted is the text after "Bearer "');
    if (this.#isClosed) return UNKNOWN;
    const known = this.#knowledge.get(token);
    if (known === undefined || !isGood(known, now, maxStalenessMs ?? NO_AGE))
      return this.#knowledge.refuse(token, known, now);
    this.#hits++;
    if (maxStalenessMs !== undefined && isDue(known, now, maxStalenessMs)) this.#renew(token, known, maxStalenessMs);
    return known.validation;
  }

  #renew(token: string, { validation }: Answer, maxStalenessMs: number): void {
    this.#asker.renew(token, validation.active ? validation.claims : undefined, gatherMs(maxStalenessMs));
  }

  #phase(staleMs: number): ValidatorState['phase'] {
    if (this.#isClosed) return 'closed';
    if (this.#asker.contact.answeredSent === undefined && !this.#keys.isFetched) return 'starting';
    return staleMs > this.#maxStalenessMs ? 'stale' : 'fresh';
  }
}
