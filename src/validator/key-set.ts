// The service's public keys: how long they are kept, and when they are fetched again.

import { createPublicKey } from 'node:crypto';
import type { GetJsonWebKeySetResponse, JsonWebKey } from '../../proto/gen/auth/v1/auth_service.js';
import { algorithmOf } from '../adapters/jwt/verify/algorithm.js';
import { JwsVerifier, type VerificationKey } from '../adapters/jwt/verify/jws-verifier.js';
import { verifyByPublicKey } from '../adapters/jwt/verify/public-key.js';
import { type Clock, momentNow } from './clock.js';
import { ServiceCallFailed } from './connection.js';
import { CannotTell } from './errors.js';
import { elapsedMs, type Moment } from './freshness.js';
import { DEFAULT_RETRY_AFTER_MS } from './retry.js';

/** The least time between two fetches because of an unknown `kid`: anyone can invent one. */
const REFETCH_EVERY_MS = 1_000;
/** A set is used for this long even if the service allows less: a fetch a call would not be bounded. */
const LEAST_KEPT_MS = 1_000;
/** The share of the allowed time after which a set is fetched again, and how much of it is random. */
const RENEW_FROM = 0.6;
const RENEW_SPREAD = 0.2;
/** A set is fetched again at least this often. A timer of more than 24 days would fire at once. */
const MOST_RENEWAL_MS = 86_400_000;
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 10_000;
/** The most keys that are used of one set. */
export const MAX_KEYS = 1_000;

const NO_KEYS = new JwsVerifier([]);

export interface KeySetOptions {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Rejects if the call fails. */
  readonly fetch: () => Promise<GetJsonWebKeySetResponse>;
}

export class KeySet {
  readonly #options: KeySetOptions;
  #keys = NO_KEYS;
  #count = 0;
  #sent: Moment | undefined;
  #keptMs = 0;
  #underWay: Promise<void> | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failure = 'the service has not answered with its public keys yet';
  /** The callers that wait for the keys. */
  readonly #listeners = new Set<(isKnown: boolean) => void>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** The keys that may be used at a moment; none once the cache time that the service set is over. */
  at(now: Moment): JwsVerifier {
    return this.#isKept(now) ? this.#keys : NO_KEYS;
  }

  countAt(now: Moment): number {
    return this.#isKept(now) ? this.#count : 0;
  }

  /**
   * Fetches the keys, and again before their time is over, until `close`. Concurrent calls share one fetch. Never
   * rejects.
   */
  fetch(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#underWay ??= this.#fetch().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Fetches the keys because a token names an unknown one: at most once a second. */
  refetch(): void {
    if (this.#options.clock.monotonicMs() - this.#triedMs >= REFETCH_EVERY_MS) void this.fetch();
  }

  /** Whether the service has ever answered with its keys. */
  get isFetched(): boolean {
    return this.#sent !== undefined;
  }

  /** Resolves once the keys are known. @throws CannotTell after a time, or when this is closed */
  known(timeoutMs: number): Promise<void> {
    if (!this.#closed && this.#isKept(momentNow(this.#options.clock))) return Promise.resolve();
    void this.fetch();
    return new Promise((resolve, reject) => {
      const end = (isKnown: boolean): void => {
        clearTimeout(timer);
        this.#listeners.delete(end);
        if (isKnown) resolve();
        else reject(new CannotTell(this.#closed ? 'the validator is closed' : this.#failure, DEFAULT_RETRY_AFTER_MS));
      };
      const timer = setTimeout(() => end(false), this.#closed ? 0 : timeoutMs);
      this.#listeners.add(end);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const end of [...this.#listeners]) end(false);
  }

  #isKept(now: Moment): boolean {
    return this.#sent !== undefined && elapsedMs(this.#sent, now) <= this.#keptMs;
  }

  async #fetch(): Promise<void> {
    const { clock, fetch, random } = this.#options;
    const sent = momentNow(clock);
    this.#triedMs = sent.monotonicMs;
    try {
      const { keys, maxAgeSeconds } = await fetch();
      const { verifier, count } = verifierOf(keys);
      this.#keys = verifier;
      this.#count = count;
      this.#sent = sent;
      this.#keptMs = Math.max(maxAgeSeconds * 1000, LEAST_KEPT_MS);
      this.#failures = 0;
      for (const end of [...this.#listeners]) end(true);
      // Without a public key there is nothing to renew: the tokens are HS256, or name a key that is not there yet.
      if (count > 0) {
        const renewalMs = this.#keptMs * (RENEW_FROM + RENEW_SPREAD * random());
        this.#again(Math.min(MOST_RENEWAL_MS, Math.max(REFETCH_EVERY_MS, renewalMs)));
      }
    } catch (error) {
      this.#failures++;
      if (error instanceof ServiceCallFailed) this.#failure = error.message;
      this.#again(Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (this.#failures - 1)) * (0.5 + 0.5 * random()));
    }
  }

  #again(afterMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.fetch(), afterMs).unref();
  }
}

/** A verifier by the keys of a set that the service signs with, and how many of them there are. */
export function verifierOf(keys: readonly JsonWebKey[]): { readonly verifier: JwsVerifier; readonly count: number } {
  const usable = keys.slice(0, MAX_KEYS).flatMap(readKey);
  return { verifier: new JwsVerifier(usable), count: usable.length };
}

/** A key of the set; none if it is not one that the service signs with: its tokens are asked about then. */
function readKey({ kty, alg, kid, crv, x, y, n, e }: JsonWebKey): readonly VerificationKey[] {
  try {
    const jwk = kty === 'EC' ? { kty, crv, x, y } : { kty, n, e };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const algorithm = algorithmOf(key);
    const verify = verifyByPublicKey(algorithm, key);
    return algorithm === alg && kid !== '' ? [{ use: 'access', kid, algorithm, verify }] : [];
  } catch {
    return [];
  }
}
