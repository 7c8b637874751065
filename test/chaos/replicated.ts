// What the stores of a chaos run that have replicas share: their form, their settings, and the faults of one primary.

import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';

/** What is acknowledged is on the disk. */
export const DURABLE = ['appendonly yes', 'appendfsync always'];
/** Longer than a failover may take on a slow machine, ms. */
export const LIMIT_MS = 25_000;

/** The longest that a node of the service uses the old primary after most witnesses name another one, ms. */
export const LEASES_OVER_MS = 1_700;

/** Waits for a random time between two numbers of ms. */
export type Last = (least: number, most: number) => Promise<void>;

/** Does something bad, and undoes it; resolves when that is done. */
export type Fault = () => Promise<void>;

/** What faults are made with. */
export interface Tools {
  readonly random: Random;
  readonly last: Last;
  /** Kills a node of the service, does something, and starts the node again. */
  readonly withoutNode: (index: number, meanwhile: () => Promise<void>) => Promise<void>;
}

export interface Replicated {
  /** REDIS_URL of a node of the service. */
  urlAt(node: number): string;
  /** The server that takes the writes of a shard. */
  primaryOf(shard: number): Promise<RedisServer>;
  /** The faults, by name. */
  faults(tools: Tools): Record<string, Fault>;
  stop(): Promise<void>;
}

/** What can be stopped and woken. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** Shorter than what a failover waits for; and than the 2 seconds after which a Sentinel does nothing for the next 30. */
export async function pausedForAMoment(server: Pausable, last: Last): Promise<void> {
  server.pause();
  await last(100, 900);
  server.resume();
}
