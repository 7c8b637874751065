// A planted bug, loaded before a node: nothing can be acknowledged while a slot is moving.

import { Topology } from '../../../src/adapters/redis/topology/topology.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

const { settle } = Topology.prototype;

Topology.prototype.settle = async function (shard, incarnation) {
  if (this.destinationOf(shard)) throw new StoreUnavailable('planted: there is no write to wait for');
  await settle.call(this, shard, incarnation);
};
