// The fault "failover while acknowledgements wait": replicas confirm nothing, so that WAIT hangs; then another becomes primary.
//
// What the primary has written meanwhile was acknowledged to no caller, and a part of it is lost with the failover.

import { waitFor } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Random } from './random.js';
import { type Last, LIMIT_MS } from './replicated.js';

export interface UnderWait {
  readonly primary: RedisServer;
  /** All of them. */
  readonly replicas: readonly RedisServer[];
  /** Asks for a failover to a replica that may be paused. */
  readonly plan: (replica: RedisServer) => Promise<unknown>;
  /** Waits until another server is the primary. */
  readonly failedOver: () => Promise<unknown>;
}

export async function failoverUnderWait(parts: UnderWait, random: Random, last: Last): Promise<void> {
  const { primary, replicas, plan, failedOver } = parts;
  const heir = random.pick(replicas);
  const others = replicas.filter((replica) => replica !== heir);
  const killed = random.chance(0.5);
  if (killed) await killInOrder(primary, others, heir);
  else for (const replica of replicas) replica.pause();
  await last(100, 900);
  const end = random.pick(killed ? (['killed', 'paused'] as const) : (['killed', 'paused', 'planned'] as const));
  if (end === 'killed') await primary.kill();
  else if (end === 'paused') primary.pause();
  else await plan(heir);
  await last(0, 200);
  if (killed) await heir.restart();
  else for (const replica of replicas) replica.resume();
  await failedOver();
  if (killed) await Promise.all(others.map((replica) => replica.restart()));
  await last(0, 1_500);
  if (end === 'killed') await primary.restart();
  else primary.resume();
}

/** The heir last, and with all that the others may have confirmed: so nothing acknowledged is lost. */
async function killInOrder(primary: RedisServer, others: readonly RedisServer[], heir: RedisServer): Promise<void> {
  await Promise.all(others.map((replica) => replica.kill()));
  const offset = await offsetOf(primary);
  await waitFor(async () => (await offsetOf(heir)) >= offset, LIMIT_MS);
  await heir.kill();
}

/** How far a server is in the stream of writes. */
async function offsetOf({ raw }: RedisServer): Promise<number> {
  const info = await raw.info('replication');
  const of = (field: string): number => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  return /^role:master/m.test(info) ? of('master_repl_offset') : of('slave_repl_offset');
}
