// Owns which of two states of an entry is the later one. Pure.

import { type Birth, parseNotBefore, parseSession } from './entries.js';
import type { StoreKey } from './ports.js';

/** Whether a birth record is of an older state of the store than another one. */
export const isOlder = (birth: Birth, than: Birth): boolean =>
  birth.atMs === than.atMs ? birth.writes < than.writes : birth.atMs < than.atMs;

/** Whether an entry that was acknowledged is further than the one that stands: entries only ever move forward. */
export function isFurther(key: StoreKey, acknowledged: string, standing: string | undefined): boolean {
  if (standing === undefined) return true;
  if (key.kind === 'not-before')
    return (parseNotBefore(acknowledged)?.atMs ?? 0) > (parseNotBefore(standing)?.atMs ?? 0);
  const [ours, theirs] = [parseSession(acknowledged), parseSession(standing)];
  if (theirs?.state === 'ended' || ours === undefined) return false;
  // Of one generation that was made twice, the one that stands has been answered last.
  return ours.state === 'ended' || theirs === undefined || ours.generation > theirs.generation;
}
