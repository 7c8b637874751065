// The rules of a remembered answer: whether it may still be used, and when the service is asked again. Pure.

import type { InactiveProblem, Validation } from './api.js';

/** One time by both clocks. */
export interface Moment {
  /** A monotonic clock, ms. It may stop while the machine is suspended. */
  readonly monotonicMs: number;
  /** The machine's time of day, Unix ms. It may be set at any time. */
  readonly wallMs: number;
}

/** How long ago a moment was, ms: the larger of what the two clocks say, so that neither can make an answer younger. */
export const elapsedMs = (from: Moment, to: Moment): number =>
  Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);

/** What is known of a token. */
export interface Answer {
  readonly validation: Validation;
  /** When the call that was answered was sent, or when the token was refused here. */
  readonly sent: Moment;
  /** Whether it can never change. */
  readonly isFinal: boolean;
  /** The share of the allowed age from which a use of the token renews its answer, 0 to 1. */
  readonly renewFrom: number;
}

/**
 * The service's reasons that hold for as long as the token could live. The others depend on its settings or on the
 * time.
 */
const FINAL: ReadonlySet<InactiveProblem> = new Set(['REVOKED', 'EXPIRED', 'BAD_SIGNATURE']);

/** Whether an answer of the service can never change. */
export const isFinal = (validation: Validation): boolean => !validation.active && FINAL.has(validation.problem);

/**
 * Whether an answer may be used now.
 * @param maxStalenessMs how old it may be
 */
export function isGood({ validation, sent, isFinal }: Answer, now: Moment, maxStalenessMs: number): boolean {
  if (isFinal) return true;
  if (elapsedMs(sent, now) > maxStalenessMs) return false;
  if (!validation.active) return true;
  // The token has ended since, by the wall clock. If it had ended by this clock when the call was sent, and
  // the service called it active, then the clock is wrong, and only the age counts.
  const endMs = validation.expiresAt * 1000;
  return now.wallMs < endMs || sent.wallMs >= endMs;
}

/** Whether a use of the token should have it asked about again, although its answer is still good. */
export const isDue = ({ sent, isFinal, renewFrom }: Answer, now: Moment, maxStalenessMs: number): boolean =>
  !isFinal && elapsedMs(sent, now) >= renewFrom * maxStalenessMs;

/** Renewals begin at half the allowed age. Spread out, so that tokens of one call are not asked about in one again. */
const RENEW_FROM = 0.5;
const RENEW_SPREAD = 0.3;

/** @param random 0 to 1 */
export const renewFrom = (random: number): number => RENEW_FROM + RENEW_SPREAD * random;

/**
 * The next share after a renewal has failed: between the last one and the end.
 * @param random 0 to 1
 */
export const renewLater = (share: number, random: number): number => share + (1 - share) * (0.2 + 0.6 * random);
