// The tokens that the feed's keys have verified: each signature is verified once, and its result is kept.

import { hash } from 'node:crypto';
import { partyProblem } from '../../core/token/read-token.js';
import { endsAtMs, type Token } from '../../core/token/token.js';
import type { ActiveToken, InactiveProblem } from '../api.js';
import { verifierOf } from '../key-set.js';
import type { LocalCheck } from '../local-check.js';
import { TokenMap } from '../token-map.js';
import { active } from '../wire-answer.js';
import type { Subject } from './decide.js';
import type { FeedKnowledge, FeedSettings } from './feed-knowledge.js';

const ID_BYTES = 16;
/** A time that has passed for any token: nothing is refused for its time here. */
const NO_TIME = Number.NEGATIVE_INFINITY;

/** A token with a good signature, as far as it does not depend on the time. */
export interface VerifiedToken extends Subject {
  /** Why the settings of the service refuse it. */
  readonly problem: InactiveProblem | undefined;
  /** What callers get if it is active. */
  readonly validation: ActiveToken;
}

/** `UNVERIFIED`: no key of the feed verifies it, and newer keys may or may not. */
export type Verification = VerifiedToken | { readonly refused: InactiveProblem } | undefined;

export class VerifiedTokens {
  readonly #knowledge: FeedKnowledge;
  readonly #check: LocalCheck;
  readonly #memory: TokenMap<VerifiedToken>;
  #version = 0;
  #verifier = verifierOf([]);

  constructor(knowledge: FeedKnowledge, check: LocalCheck, maxRemembered: number) {
    this.#knowledge = knowledge;
    this.#check = check;
    this.#memory = new TokenMap(maxRemembered);
  }

  get size(): number {
    return this.#memory.size;
  }

  /** How many keys of the feed can verify. */
  get keys(): number {
    this.#update();
    return this.#verifier.count;
  }

  /** @returns undefined if the feed has no key that verifies the token: the service must be asked */
  verify(text: string): Verification {
    this.#update();
    const known = this.#memory.get(text);
    if (known) return known;
    const { settings } = this.#knowledge;
    if (!settings || this.#verifier.count === 0) return undefined;
    const check = this.#check.check(text, this.#verifier.verifier, NO_TIME);
    if ('refused' in check) return check;
    if (!check.token) return undefined;
    const verified = verifiedToken(check.token, settings);
    this.#memory.set(text, verified);
    return verified;
  }

  clear(): void {
    this.#memory.clear();
  }

  /** What was verified by other keys, or judged by other settings, is forgotten. */
  #update(): void {
    if (this.#version === this.#knowledge.version) return;
    this.#version = this.#knowledge.version;
    this.#verifier = verifierOf(this.#knowledge.keys ?? []);
    this.#memory.clear();
  }
}

function verifiedToken(token: Token, { rules, shards }: FeedSettings): VerifiedToken {
  // Each character is a byte.
  const digest = hash('sha256', token.subject, 'binary');
  const { subject, sessionId, id, issuedAt, issuer = '', audience = [] } = token;
  const expiresAt = Math.floor(endsAtMs(token, rules) / 1000);
  const shown = { subject, sessionId, tokenId: id, issuedAt, expiresAt, issuer, audience: [...audience] };
  return {
    token,
    shard: digest.charCodeAt(0) % shards,
    session: Buffer.from(sessionId.replaceAll('-', ''), 'hex').toString('latin1'),
    subject: digest.slice(0, ID_BYTES),
    problem: partyProblem(token, rules),
    validation: active(shown, token.claims),
  };
}
