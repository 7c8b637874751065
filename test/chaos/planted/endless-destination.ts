// A planted bug, loaded before a node: where a slot was moving to is waited for, though the migration was cancelled.

import type { Server } from '../../../src/adapters/redis/topology/server.js';
import { Topology } from '../../../src/adapters/redis/topology/topology.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

const { waitForReplicas } = Topology.prototype;
const seen = new Map<number, Server>();

Topology.prototype.waitForReplicas = async function (shard, incarnation) {
  const destination = this.destinationOf(shard);
  if (destination) seen.set(shard, destination);
  if (seen.get(shard) !== destination) throw new StoreUnavailable('planted: this destination has the slot no more');
  await waitForReplicas.call(this, shard, incarnation);
};
