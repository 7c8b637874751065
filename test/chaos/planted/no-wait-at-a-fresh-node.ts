// A planted bug, loaded before a node: nothing can be acknowledged while a slot is moving.

import { Topology } from '../../../src/adapters/redis/topology/topology.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

const { waitForReplicas } = Topology.prototype;

Topology.prototype.waitForReplicas = async function (shard, incarnation) {
  if (this.destinationOf(shard)) throw new StoreUnavailable('planted: there is no write to wait for');
  await waitForReplicas.call(this, shard, incarnation);
};
