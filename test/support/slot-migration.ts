// A slot of a test's cluster on its way from one primary to another.

import type { RedisServer } from './redis-server.js';

/** How many keys one command moves. */
const KEYS_AT_ONCE = 100;
const MOVE_LIMIT_MS = 40_000;

/** One of the two nodes. */
export interface MigrationEnd {
  readonly server: RedisServer;
  readonly id: string;
}

/** The same commands in the same order as `redis-cli --cluster reshard` sends. */
export class SlotMigration {
  readonly slot: number;
  readonly from: RedisServer;
  readonly to: RedisServer;
  readonly #targetId: string;

  private constructor(slot: number, from: MigrationEnd, to: MigrationEnd) {
    this.slot = slot;
    this.from = from.server;
    this.to = to.server;
    this.#targetId = to.id;
  }

  /** From now on the target is asked for the keys that the source does not have. */
  static async begin(slot: number, from: MigrationEnd, to: MigrationEnd): Promise<SlotMigration> {
    const migration = new SlotMigration(slot, from, to);
    await to.server.raw.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.server.raw.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    return migration;
  }

  /** Moves some keys. @returns how many have moved */
  async move(most = KEYS_AT_ONCE): Promise<number> {
    return moveKeys(this.slot, this.from, this.to, most);
  }

  /** Moves all keys that are left, and makes the target the owner. */
  async finish(): Promise<void> {
    while ((await this.move()) > 0);
    const toTarget = ({ raw }: RedisServer) => raw.call('CLUSTER', 'SETSLOT', this.slot, 'NODE', this.#targetId);
    await toTarget(this.to);
    await toTarget(this.from).catch((error: Error) => {
      // One that has given its last slot away follows the target at once, and knows about the slot from it.
      if (!/only with masters/.test(error.message)) throw error;
    });
  }

  /**
   * Leaves the slot where it was, and moves back what has moved, in the order of `redis-cli --cluster fix`: the source
   * takes no key back before it counts as stable. Until all keys are back it answers without them.
   */
  async cancel(): Promise<void> {
    const stable = (server: RedisServer) => server.raw.call('CLUSTER', 'SETSLOT', this.slot, 'STABLE');
    await stable(this.from);
    while ((await moveKeys(this.slot, this.to, this.from, KEYS_AT_ONCE)) > 0);
    await stable(this.to);
  }
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer, most: number): Promise<number> {
  const keys = (await from.raw.call('CLUSTER', 'GETKEYSINSLOT', slot, most)) as string[];
  // A mark may be at both ends: either will do.
  const args = ['127.0.0.1', to.port, '', 0, MOVE_LIMIT_MS, 'REPLACE', 'KEYS', ...keys];
  if (keys.length > 0) await from.raw.call('MIGRATE', ...args);
  return keys.length;
}
