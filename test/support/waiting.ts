// Waits of tests: for a condition, for an answer, and for time where time itself is tested.

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/** A bound for what comes at once on an idle machine, ms. Beside other work, on a slow machine, it may take this long. */
const SOON_MS = 30_000;

/**
 * Between two looks, ms: what takes long is looked at less often, and so is what is dear to look at, since a look may
 * cost many calls.
 */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [5, 100];
/** The same where nothing may happen meanwhile: what is there for a moment alone should be seen. */
const MOST_PAUSE_OF_ASSERTION_MS = 40;

const pauseMs = (waitedMs: number, lookMs: number, mostMs = MOST_PAUSE_MS): number =>
  Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, Math.min(mostMs, waitedMs / 20), 2 * lookMs));

export type Condition = () => boolean | Promise<boolean>;

export interface Looking {
  /** What the error shows of the state in which the wait ended. */
  readonly seen?: () => unknown;
  /** Whether a condition that throws does not hold yet; otherwise its error ends the wait. */
  readonly retryErrors?: boolean;
}

/**
 * Waits until a condition holds. Returns how long that took, ms.
 *
 * @throws Error that shows the condition, what was last seen, and as its cause the last error of a look
 */
export async function until(holds: Condition, limitMs = SOON_MS, looking: Looking = {}): Promise<number> {
  const startMs = performance.now();
  for (let cause: unknown; ; ) {
    const lookedMs = performance.now();
    try {
      if (await holds()) return performance.now() - startMs;
      cause = undefined;
    } catch (error) {
      if (!looking.retryErrors) throw error;
      cause = error;
    }
    const nowMs = performance.now();
    if (nowMs - startMs > limitMs)
      throw new Error(`after ${limitMs} ms still not: ${described(holds, looking)}`, { cause });
    await sleep(pauseMs(nowMs - startMs, nowMs - lookedMs));
  }
}

/** Waits for conditions that are looked at after each event, since they may hold for a moment alone. */
export class EventWaits {
  readonly #looks = new Set<() => void>();

  /** @throws Error as `until` does */
  until(holds: () => boolean, limitMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        this.#looks.delete(look);
      };
      const late = setTimeout(() => {
        end();
        reject(new Error(`after ${limitMs} ms still not: ${holds}`));
      }, limitMs).unref();
      const look = (): void => {
        if (!holds()) return;
        end();
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** To be called after each event. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }
}

/** As `until`, of a condition that asks servers which may fail to answer meanwhile: such an error means "not yet". */
export async function untilReported(holds: Condition, limitMs = SOON_MS): Promise<number> {
  return until(holds, limitMs, { retryErrors: true });
}

/**
 * Repeats an assertion for a time: that nothing happens can only be seen by waiting.
 *
 * @throws Error what the assertion throws, at once
 */
export async function holdsFor(ms: number, assertion: () => void | Promise<void>): Promise<void> {
  const startMs = performance.now();
  const endMs = startMs + ms;
  // No look begins after the end: what is asserted may be over then.
  for (let atMs = startMs; atMs < endMs; atMs = performance.now()) {
    await assertion();
    const nowMs = performance.now();
    await sleep(
      Math.max(0, Math.min(pauseMs(nowMs - startMs, nowMs - atMs, MOST_PAUSE_OF_ASSERTION_MS), endMs - nowMs)),
    );
  }
}

function described(holds: Condition, { seen }: Looking): string {
  return seen ? `${holds}\nlast seen: ${inspect(seen(), { depth: 6 })}` : String(holds);
}

/** What a promise resolves to, or undefined if it takes longer than a time. */
export async function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  const answered = new AbortController();
  const late = sleep(ms, undefined, { signal: answered.signal }).catch(() => undefined);
  return Promise.race([answer, late]).finally(() => answered.abort());
}

/**
 * Lets time pass where no event can be waited for: time is what the test is about, as with an expiry, or it paces load.
 * Each caller says which, in a few words. A signal ends it early.
 */
export async function elapse(ms: number, _why: string, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => {});
}
