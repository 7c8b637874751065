// A planted bug, loaded before a node: acknowledgements wait for the replicas of another primary of the cluster.

import { SHARDS } from '../../../src/adapters/redis/keys.js';
import { Topology } from '../../../src/adapters/redis/topology/topology.js';

const { waitForReplicas } = Topology.prototype;

Topology.prototype.waitForReplicas = function (shard, _incarnation) {
  const other = (shard + SHARDS / 2) % SHARDS;
  return waitForReplicas.call(this, other, this.incarnationOf(other));
};
