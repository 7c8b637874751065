// The fault "failover while acknowledgements wait": replicas confirm nothing, so that WAIT hangs; then another becomes primary.
//
// What the primary has written meanwhile was acknowledged to no caller, and a part of it is lost with the failover.

import type { RedisServer } from '../support/redis-server.js';
import { untilReported } from '../support/waiting.js';
import { LEASES_OVER_MS, LIMIT_MS, type Tools } from './replicated.js';

export const UNDER_WAIT = 'failover while acknowledgements wait';

export interface UnderWait {
  readonly primary: RedisServer;
  /** The replica that becomes the primary. */
  readonly heir: RedisServer;
  /** The other replicas. */
  readonly others: readonly RedisServer[];
  /** Asks for a failover to the heir, which may be paused. */
  readonly plan: () => Promise<unknown>;
  /** Waits until another server is the primary. */
  readonly failedOver: () => Promise<unknown>;
}

export async function failoverUnderWait(parts: UnderWait, { random, last, withoutNode }: Tools): Promise<void> {
  const { primary, heir, others, plan, failedOver } = parts;
  const killed = random.chance(0.7);
  if (killed) await killInOrder(primary, others, heir);
  else for (const replica of [heir, ...others]) replica.pause();
  await last(100, 900);
  // A node that dies takes along what it remembers of its acknowledgements.
  const dead = random.pick([undefined, 0, 1]);
  const begun = dead === undefined ? undefined : withoutNode(dead, () => last(500, 2_500));
  const end = random.pick(killed ? (['killed', 'paused'] as const) : (['killed', 'paused', 'planned'] as const));
  if (end === 'killed') await primary.kill();
  else if (end === 'paused') primary.pause();
  else await plan();
  await last(0, 200);
  if (killed) await heir.restart();
  else heir.resume();
  await failedOver();
  const othersBack = async (): Promise<void> => {
    // One that is back sooner confirms to the old primary what the new one lacks.
    await last(LEASES_OVER_MS, LEASES_OVER_MS + 500);
    if (killed) await Promise.all(others.map((replica) => replica.restart()));
    else for (const replica of others) replica.resume();
  };
  const primaryBack = async (): Promise<void> => {
    await last(0, 1_500);
    if (end === 'killed') await primary.restart();
    else primary.resume();
  };
  await Promise.all([othersBack(), primaryBack(), begun]);
}

/** The heir last, and with all that the others may have confirmed: so nothing acknowledged is lost. */
async function killInOrder(primary: RedisServer, others: readonly RedisServer[], heir: RedisServer): Promise<void> {
  await Promise.all(others.map((replica) => replica.kill()));
  const offset = await offsetOf(primary);
  await untilReported(async () => (await offsetOf(heir)) >= offset, LIMIT_MS);
  await heir.kill();
}

/** How far a server is in the stream of writes. */
async function offsetOf({ raw }: RedisServer): Promise<number> {
  const info = await raw.info('replication');
  const of = (field: string): number => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  return /^role:master/m.test(info) ? of('master_repl_offset') : of('slave_repl_offset');
}
