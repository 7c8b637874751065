// The feed as a source of answers: it decides on a token, or returns that a pong or a call of the service is needed.

import type { AnswerCache } from '../answer-cache.js';
import type { InactiveToken, Validation, WhenStale } from '../api.js';
import { type Clock, momentNow } from '../clock.js';
import { CannotTell } from '../errors.js';
import { elapsedMs, type Moment } from '../freshness.js';
import type { Claims, LocalCheck } from '../local-check.js';
import { DEFAULT_RETRY_AFTER_MS } from '../retry.js';
import { inactive } from '../wire-answer.js';
import { Barriers } from './barriers.js';
import type { Demand } from './decide.js';
import { FeedKnowledge } from './feed-knowledge.js';
import { FeedSubscription, type SubscriptionOptions, type SubscriptionPhase } from './feed-subscription.js';
import { VerifiedTokens } from './verified-tokens.js';

/** How long a caller waits for a pong before the service is called: a share of its deadline, and the most, ms. */
const PATIENCE_SHARE = 0.25;
const MOST_PATIENCE_MS = 250;

export interface FeedOptions extends Pick<SubscriptionOptions, 'random' | 'connections' | 'maxStalenessMs'> {
  readonly clock: Clock;
  readonly check: LocalCheck;
  /** Remembers the tokens that are refused for good. */
  readonly refuse: AnswerCache['refuseHere'];
  readonly maxRemembered: number;
  readonly maxWaiting: number;
  readonly deadlineMs: number;
  readonly whenStale: WhenStale;
}

/** A token that the feed has verified, and does not decide on. */
export interface Undecided {
  readonly claims: Claims;
  /** Whether a new pong may decide on it. */
  readonly isStale: boolean;
  /** When the feed was asked: a read of both clocks takes as long as a look-up. */
  readonly now: Moment;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #knowledge = new FeedKnowledge();
  readonly #verified: VerifiedTokens;
  readonly #subscription: FeedSubscription;
  readonly #barriers: Barriers;
  readonly #listeners = new Set<() => void>();
  readonly #patienceMs: number;
  #decided = 0;

  constructor(options: FeedOptions) {
    const { check, maxRemembered, maxWaiting: most, deadlineMs, whenStale } = options;
    this.#options = options;
    // Without a call afterwards the whole time is for the pong.
    this.#patienceMs = whenStale === 'throw' ? deadlineMs : Math.min(MOST_PATIENCE_MS, deadlineMs * PATIENCE_SHARE);
    this.#verified = new VerifiedTokens(this.#knowledge, check, maxRemembered);
    this.#subscription = new FeedSubscription({
      ...options,
      knowledge: this.#knowledge,
      began: () => this.#barriers.streamBegan(),
      received: (pongId) => this.#received(pongId),
    });
    this.#barriers = new Barriers({ patienceMs: this.#patienceMs, most, ping: () => this.#subscription.ping(true) });
    this.#subscription.open();
  }

  get phase(): SubscriptionPhase {
    return this.#subscription.phase;
  }

  /** The age of what is known of the least current shard, ms; undefined: some shard is not known. */
  ageMs(now: Moment): number | undefined {
    const { asOf } = this.#knowledge;
    return asOf && elapsedMs(asOf, now);
  }

  get counts() {
    return {
      revocations: this.#knowledge.size,
      verified: this.#verified.size,
      decided: this.#decided,
      waiting: this.#barriers.callers,
      ...this.#subscription.counts,
    };
  }

  /** The feed's decision on a token; undefined: none of its keys verifies the token. */
  lookUp(text: string, demand: Demand): Validation | Undecided | undefined {
    const found = this.#verified.verify(text);
    if (found === undefined) return undefined;
    // After the verification of the signature: the process may have been stopped meanwhile.
    const now = momentNow(this.#options.clock);
    if ('refused' in found) return this.#options.refuse(text, found.refused, now);
    if (found.problem) return this.#decide(inactive(found.problem));
    const verdict = this.#knowledge.decide(found, now, demand);
    if (verdict === 'active') return this.#decide(found.validation);
    if (verdict === 'REVOKED' || verdict === 'EXPIRED') return this.#decide(this.#options.refuse(text, verdict, now));
    return { claims: found.token.claims, isStale: verdict === 'stale', now };
  }

  /**
   * Resolves with the id of a ping that is sent after this call, once its pong has come; with undefined if none comes
   * soon.
   */
  barrier(): Promise<number | undefined> {
    return this.#isAnswering ? this.#barriers.wait() : Promise.resolve(undefined);
  }

  /**
   * Resolves once all shards are known.
   * @throws CannotTell after a time, at once if the service has no feed for this process, or when this is closed
   */
  async ready(timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (this.#knowledge.asOf === undefined) {
      const isLate = performance.now() >= untilMs;
      if (isLate || this.phase === 'off' || this.phase === 'closed')
        throw new CannotTell(this.#subscription.failure, DEFAULT_RETRY_AFTER_MS);
      await this.#next(untilMs - performance.now());
    }
  }

  close(): void {
    this.#subscription.close();
    this.#barriers.close();
    this.#verified.clear();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Makes the error for a call that may not ask the service while the feed is stale; undefined: it may ask. */
  refusal(): CannotTell | undefined {
    return this.#throws ? new CannotTell(this.#subscription.failure, DEFAULT_RETRY_AFTER_MS) : undefined;
  }

  /** Whether calls throw instead of asking the service. A service without a feed is asked. */
  get #throws(): boolean {
    return this.#options.whenStale === 'throw' && this.phase !== 'off' && this.phase !== 'closed';
  }

  /** Whether pings get their pongs soon. Where no call is made instead, whether they may be waited for. */
  get #isAnswering(): boolean {
    if (this.#throws) return true;
    const nowMs = this.#options.clock.monotonicMs();
    const waitingMs = nowMs - (this.#knowledge.waiting?.sent.monotonicMs ?? nowMs);
    return this.#subscription.phase === 'following' && waitingMs < this.#patienceMs;
  }

  #decide<Each extends Validation | InactiveToken>(validation: Each): Each {
    this.#decided++;
    return validation;
  }

  #received(pongId: number | undefined): void {
    if (pongId !== undefined) this.#barriers.answered(pongId);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves with the next message, or after a time. */
  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(end);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#listeners.add(end);
    });
  }
}
