// The stalls of this process: the times in which its timer was late.

import type { Span } from './record.js';

const TICK_MS = 50;
/** A tick that is later than this is a stall, ms. */
const STALL_MS = 100;
/** Before and after a stall the scheduler may have delayed the other processes, ms. */
const NEAR_MS = 500;

/** Whether a call is so near a stall that nodes and store may have stalled, too. */
export const isNearStall = ({ fromMs, toMs }: Span, stalls: readonly Span[]): boolean =>
  stalls.some((stall) => stall.fromMs - NEAR_MS <= toMs && fromMs <= stall.toMs + NEAR_MS);

/** @param nowMs a monotonic clock, ms */
export function watchStalls(nowMs: () => number): { end(): Span[] } {
  const stalls: Span[] = [];
  let dueMs = nowMs() + TICK_MS;
  const look = (): void => {
    const atMs = nowMs();
    if (atMs > dueMs + STALL_MS) stalls.push({ fromMs: dueMs, toMs: atMs });
    dueMs = atMs + TICK_MS;
  };
  const timer = setInterval(look, TICK_MS).unref();
  return {
    end: () => {
      clearInterval(timer);
      look();
      return stalls;
    },
  };
}
