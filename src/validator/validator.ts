// The validator: answers from its cache and from the feed, and requests the rest from the service.

import { AnswerCache, UNKNOWN, type Unknown } from './answer-cache.js';
import type { Duration, ValidateOptions, Validation, Validator, ValidatorState } from './api.js';
import { Batcher, type BatcherOptions } from './batcher.js';
import { type Clock, momentNow } from './clock.js';
import type { Demand } from './feed/decide.js';
import { Feed } from './feed/feed.js';
import { type Answer, elapsedMs, isDue, isGood, type Moment } from './freshness.js';
import { KeySet } from './key-set.js';
import { LocalCheck, rulesFor } from './local-check.js';
import { readStaleness, readTimeout, type Settings } from './options.js';
import { renewalDelayMs } from './renewal-timer.js';

const READY_TIMEOUT = '10s';
/** How much longer than for the keys `ready` waits for a feed without which the validator works, ms. */
const FEED_READY_MS = 1_000;
/** A ping that was not sent yet: what is known is too old for a caller that demands it. */
const NO_PING: Demand = { fromPing: Number.POSITIVE_INFINITY };

export type ValidatorParts = Pick<BatcherOptions, 'clock' | 'random' | 'connections'>;

export class LocalValidator implements Validator {
  readonly #maxStalenessMs: number;
  readonly #clock: Clock;
  readonly #connections: ValidatorParts['connections'];
  readonly #keys: KeySet;
  readonly #answers: AnswerCache;
  readonly #batcher: Batcher;
  readonly #source: Settings['source'];
  readonly #feed: Feed | undefined;
  readonly #usual: Demand;
  readonly #deadlineMs: number;
  readonly #created: Moment;
  #hits = 0;
  #refusals = 0;
  #isClosed = false;

  constructor(settings: Settings, parts: ValidatorParts) {
    const { clock, random, connections } = parts;
    const { deadlineMs, maxRemembered, issuer, audience } = settings;
    this.#maxStalenessMs = settings.maxStalenessMs;
    this.#usual = { maxStalenessMs: settings.maxStalenessMs };
    this.#deadlineMs = deadlineMs;
    this.#source = settings.source;
    this.#clock = clock;
    this.#connections = connections;
    this.#created = momentNow(clock);
    this.#keys = new KeySet({ clock, random, fetch: () => connections.keySet(deadlineMs) });
    const check = new LocalCheck(rulesFor(issuer, audience));
    this.#answers = new AnswerCache({ check, keys: this.#keys, random, maxRemembered });
    this.#batcher = new Batcher({
      ...settings,
      ...parts,
      addAnswer: (pending, result, sent) => this.#answers.add(pending, result, sent),
      renewalFailed: (text) => this.#answers.renewLater(text),
    });
    const refuse = this.#answers.refuseHere.bind(this.#answers);
    this.#feed = settings.source === 'answers' ? undefined : new Feed({ ...settings, ...parts, check, refuse });
    void this.#keys.fetch();
  }

  async ready(timeout: Duration = READY_TIMEOUT): Promise<void> {
    const timeoutMs = readTimeout(timeout);
    const feed = this.#source === 'feed' ? this.#feed : undefined;
    await Promise.all([feed?.ready(timeoutMs), this.#keys.known(timeoutMs)]);
    if (this.#source === 'auto') await this.#feed?.ready(FEED_READY_MS).catch(() => {});
  }

  validateNow(token: string): Validation | undefined {
    const found = this.#lookUp(token, this.#usual);
    return 'active' in found ? found : undefined;
  }

  // Not `async`: a remembered answer needs one promise, and no more.
  validate(token: string, options?: ValidateOptions): Promise<Validation> {
    try {
      const demand = options === undefined ? this.#usual : demandOf(options, this.#maxStalenessMs);
      const found = this.#lookUp(token, demand);
      if ('active' in found) return Promise.resolve(found);
      if (found.isStale) return this.#confirm(token, demand);
      return this.#batcher.request(token, found.claims, { maxStalenessMs: stalenessOf(demand) });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  state(): ValidatorState {
    const now = momentNow(this.#clock);
    const { answeredSent, isFailing } = this.#batcher.contact;
    const feedAgeMs = this.#feed?.ageMs(now);
    const callAgeMs = isFailing ? elapsedMs(answeredSent ?? this.#created, now) : 0;
    const staleMs = Math.min(callAgeMs, feedAgeMs ?? callAgeMs);
    const { waiting, cannotTell, ...counts } = this.#batcher.counts;
    const feed = this.#feed?.counts ?? NO_FEED;
    return {
      phase: this.#phase(staleMs),
      staleMs,
      keys: this.#keys.countAt(now),
      remembered: this.#answers.size,
      ...counts,
      waiting: waiting + feed.waiting,
      cannotTell: cannotTell + this.#refusals,
      hits: this.#hits,
      refusedHere: this.#answers.refusedHere,
      feed: this.#feed?.phase ?? 'off',
      feedAgeMs,
      revocations: feed.revocations,
      verified: feed.verified,
      decided: feed.decided,
      streams: feed.streams,
      pings: feed.pings,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keys.close();
    this.#feed?.close();
    this.#batcher.close();
    this.#connections.close();
    this.#answers.clear();
  }

  /** What is known of a token without a call, and without waiting. */
  #lookUp(token: string, demand: Demand): Validation | Unknown {
    if (typeof token !== 'string') throw new TypeError('token is not a string; wanted is the text after "Bearer "');
    if (this.#isClosed) return UNKNOWN;
    const known = this.#answers.get(token);
    if (known?.isFinal) return this.#hit(known);
    const found = this.#feed?.lookUp(token, demand);
    if (found && 'active' in found) return found;
    const now = found?.now ?? momentNow(this.#clock);
    const maxStalenessMs = stalenessOf(demand);
    if (known === undefined || maxStalenessMs === undefined || !isGood(known, now, maxStalenessMs))
      return found ?? this.#answers.refuse(token, known, now);
    if (isDue(known, now, maxStalenessMs)) this.#renew(token, known, maxStalenessMs);
    return this.#hit(known);
  }

  #hit({ validation }: Answer): Validation {
    this.#hits++;
    return validation;
  }

  /** Decides on a token with the next pong of the feed. Without one, the service is asked. */
  async #confirm(token: string, demand: Demand): Promise<Validation> {
    const untilMs = this.#clock.monotonicMs() + this.#deadlineMs;
    const fromPing = await this.#feed?.barrier();
    const found = this.#lookUp(token, 'fromPing' in demand && fromPing !== undefined ? { fromPing } : demand);
    if ('active' in found) return found;
    const refusal = found.isStale ? this.#feed?.refusal() : undefined;
    if (refusal) {
      this.#refusals++;
      throw refusal;
    }
    return this.#batcher.request(token, found.claims, { maxStalenessMs: stalenessOf(demand), untilMs });
  }

  #renew(token: string, { validation }: Answer, maxStalenessMs: number): void {
    // Every use asks until the renewal is done. The text of a request is a new one, which would be hashed each time.
    const text = this.#answers.ownText(token) ?? token;
    this.#batcher.renew(text, validation.active ? validation.claims : undefined, renewalDelayMs(maxStalenessMs));
  }

  #phase(staleMs: number): ValidatorState['phase'] {
    if (this.#isClosed) return 'closed';
    const hasAnswered = this.#batcher.contact.answeredSent !== undefined || this.#keys.isFetched;
    if (!hasAnswered && this.#feed?.phase !== 'following') return 'starting';
    return staleMs > this.#maxStalenessMs ? 'stale' : 'fresh';
  }
}

const NO_FEED = { revocations: 0, verified: 0, decided: 0, streams: 0, pings: 0, waiting: 0 };

/** @throws TypeError */
function demandOf(options: ValidateOptions, usualMs: number): Demand {
  const maxStalenessMs = readStaleness(options, usualMs);
  return maxStalenessMs === undefined ? NO_PING : { maxStalenessMs };
}

/** How old an answer may be, ms; undefined: it must come from a call that is sent later. */
const stalenessOf = (demand: Demand): number | undefined => ('fromPing' in demand ? undefined : demand.maxStalenessMs);
