// A planted bug, loaded before a node: for a while the owner before answers reads, and the new one is vouched for.

import type { Server } from '../../../src/adapters/redis/topology/server.js';
import { Topology } from '../../../src/adapters/redis/topology/topology.js';

const LATE_MS = 3_000;

interface Seen {
  owner: Server;
  before: Server | undefined;
  sinceMs: number;
}

const seen = new Map<number, Seen>();

Topology.prototype.run = async function (shard, use, commands) {
  const owner = this.ownerOf(shard);
  let known = seen.get(shard);
  if (known?.owner !== owner) known = { owner, before: known?.owner, sinceMs: performance.now() };
  seen.set(shard, known);
  const isLate = known.before?.connection.why === '' && performance.now() < known.sinceMs + LATE_MS;
  const server = use === 'read' && isLate ? (known.before ?? owner) : owner;
  return server.connection.run(use, commands);
};
