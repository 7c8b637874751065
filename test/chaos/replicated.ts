// What the stores of a chaos run that have replicas share: their form, their settings, and the faults of one primary.

import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';

/** What is acknowledged is on the disk. */
export const DURABLE = ['appendonly yes', 'appendfsync always'];
/** Longer than a failover may take on a slow machine, ms. */
export const LIMIT_MS = 25_000;

/** Waits for a while between so many ms. */
export type Last = (least: number, most: number) => Promise<void>;

/** Does something bad, and undoes it; resolves when that is done. */
export type Fault = () => Promise<void>;

export interface Replicated {
  readonly url: string;
  /** The faults, by name. */
  faults(random: Random, last: Last): Record<string, Fault>;
  stop(): Promise<void>;
}

/** Shorter than what a failover waits for. */
export async function pausedForAMoment(primary: Promise<RedisServer>, last: Last): Promise<void> {
  const server = await primary;
  server.pause();
  await last(100, 900);
  server.resume();
}
