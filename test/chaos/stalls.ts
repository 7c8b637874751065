// The times in which this process itself stood still, by a timer that is late.

import type { Span } from './record.js';

const TICK_MS = 50;
/** By how much a tick is later than due when the process stood still, ms. */
const STALL_MS = 100;

/** @param nowMs a monotonic clock, ms */
export function watchStalls(nowMs: () => number): { end(): Span[] } {
  const stalls: Span[] = [];
  let dueMs = nowMs() + TICK_MS;
  const look = (): void => {
    const atMs = nowMs();
    if (atMs > dueMs + STALL_MS) stalls.push({ fromMs: dueMs, toMs: atMs });
    dueMs = atMs + TICK_MS;
  };
  const timer = setInterval(look, TICK_MS);
  return {
    end: () => {
      clearInterval(timer);
      look();
      return stalls;
    },
  };
}
