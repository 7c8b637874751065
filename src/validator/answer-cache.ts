// The cache of answers about tokens: those of the service, and refusals that this process decided itself.

import type { Token } from '../core/token/token.js';
import type { InactiveProblem, InactiveToken, Validation } from './api.js';
import { type Answer, isFinal, type Moment, renewFrom, renewLater } from './freshness.js';
import type { KeySet } from './key-set.js';
import type { Claims, LocalCheck } from './local-check.js';
import type { PendingToken } from './pending-token.js';
import { StoreTime } from './store-time.js';
import { TokenMap } from './token-map.js';
import { active, type CalledActive, inactive } from './wire-answer.js';

/** Refused tokens have a memory of their own, of this share: anyone can send them, and must not displace the others. */
const REFUSED_SHARE = 0.1;
const UNANSWERED_SHARE = 0.1;

export interface AnswerCacheOptions {
  readonly check: LocalCheck;
  readonly keys: KeySet;
  /** 0 to 1. */
  readonly random: () => number;
  readonly maxRemembered: number;
}

/** What has to be asked. */
export interface Unknown {
  /** The claims of the token, if it is authentic for certain. */
  readonly claims: Claims | undefined;
  /** Whether the next pong of the feed may decide on it. */
  readonly isStale?: boolean;
}

export const UNKNOWN: Unknown = { claims: undefined };

export class AnswerCache {
  readonly #check: LocalCheck;
  readonly #keys: KeySet;
  readonly #random: () => number;
  readonly #active: TokenMap<Answer>;
  readonly #refused: TokenMap<Answer>;
  /** Tokens that are authentic and have no answer yet, so that no signature is verified again while callers wait. */
  readonly #unanswered: TokenMap<Token>;
  readonly #storeTime = new StoreTime();
  #refusedHere = 0;

  constructor({ check, keys, random, maxRemembered }: AnswerCacheOptions) {
    this.#check = check;
    this.#keys = keys;
    this.#random = random;
    this.#active = new TokenMap(maxRemembered);
    this.#refused = new TokenMap(Math.ceil(maxRemembered * REFUSED_SHARE));
    this.#unanswered = new TokenMap(Math.ceil(maxRemembered * UNANSWERED_SHARE));
  }

  get size(): number {
    return this.#active.size + this.#refused.size;
  }

  /** Tokens refused without a call so far. */
  get refusedHere(): number {
    return this.#refusedHere;
  }

  /** The last answer about a token. It may be too old. */
  get(text: string): Answer | undefined {
    return this.#active.get(text) ?? this.#refused.get(text);
  }

  /** The remembered copy of a text; undefined: there is no answer about it. */
  ownText(text: string): string | undefined {
    return this.#active.ownText(text) ?? this.#refused.ownText(text);
  }

  /** Refuses a token that can be refused without a call. */
  refuse(text: string, known: Answer | undefined, now: Moment): InactiveToken | Unknown {
    const passedMs = this.#storeTime.passedMs(now);
    if (known?.validation.active) {
      const { claims, expiresAt } = known.validation;
      return passedMs >= expiresAt * 1000 ? this.refuseHere(text, 'EXPIRED', now) : { claims };
    }
    const unanswered = this.#unanswered.get(text);
    const check = unanswered
      ? this.#check.checkTime(unanswered, passedMs)
      : this.#check.check(text, this.#keys.at(now), passedMs);
    if ('refused' in check) return this.refuseHere(text, check.refused, now);
    if (check.token) {
      if (!unanswered) this.#verified(text, check.token, now);
      return check.token;
    }
    if (check.needsKeys) this.#keys.refetch();
    return UNKNOWN;
  }

  /**
   * Takes in an answer of the service.
   * @param sent when the call was sent
   * @returns what is known of the token now: an answer that can never change, or the one to the call that was sent last
   */
  add(pending: PendingToken, result: InactiveToken | CalledActive, sent: Moment): Answer {
    this.#unanswered.delete(pending.text);
    const known = this.get(pending.text);
    const isLast = 'problem' in result && isFinal(result);
    if (known && (known.isFinal || (known.sent.monotonicMs > sent.monotonicMs && !isLast))) return known;
    const validation = 'called' in result ? this.#calledActive(pending, result, known, sent) : result;
    const answer = { validation, sent, isFinal: isFinal(validation), renewFrom: renewFrom(this.#random()) };
    this.#remember(pending.text, answer, known);
    return answer;
  }

  /** A renewal has failed: the next one is later. */
  renewLater(text: string): void {
    const known = this.get(text);
    if (known) this.#remember(text, { ...known, renewFrom: renewLater(known.renewFrom, this.#random()) }, known);
  }

  /**
   * Refuses a token for good: keys, texts and options do not change, and ends are for ever. A text without a signature
   * is not remembered: to refuse it costs nothing.
   */
  refuseHere(text: string, problem: InactiveProblem, now: Moment): InactiveToken {
    this.#refusedHere++;
    const validation = inactive(problem);
    if (problem === 'MALFORMED') return validation;
    this.#remember(text, { validation, sent: now, isFinal: true, renewFrom: 1 }, this.get(text));
    return validation;
  }

  clear(): void {
    this.#active.clear();
    this.#refused.clear();
    this.#unanswered.clear();
  }

  #verified(text: string, token: Token, now: Moment): void {
    this.#storeTime.observe(token.issuedAt, now);
    this.#unanswered.set(text, token);
  }

  #calledActive(pending: PendingToken, { called }: CalledActive, known: Answer | undefined, sent: Moment): Validation {
    const isAdopted = called.sessionId === '';
    // Another issuer stamps the tokens that are adopted.
    if (!isAdopted) this.#storeTime.observe(called.issuedAt, sent);
    if (known?.validation.active && known.validation.expiresAt === called.expiresAt) return known.validation;
    const checked = pending.claims ? { claims: pending.claims } : this.#check.vouched(pending.text, isAdopted);
    return 'refused' in checked ? inactive(checked.refused) : active(called, checked.claims);
  }

  /** @param known the last answer about the same token */
  #remember(text: string, answer: Answer, known: Answer | undefined): void {
    const isActive = answer.validation.active;
    if (known && known.validation.active !== isActive) this.#memoryFor(!isActive).delete(text);
    this.#memoryFor(isActive).set(text, answer);
  }

  #memoryFor(isActive: boolean): TokenMap<Answer> {
    return isActive ? this.#active : this.#refused;
  }
}
