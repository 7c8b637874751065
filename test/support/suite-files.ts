// The parts of the whole suite: which files run apart, and which of the others begin first.

/**
 * Files with bounds on time that are promises, and the bounds. They run when all others have ended, fewer at a time. Those
 * that take longest begin first.
 */
export const TIMED: Readonly<Record<string, string>> = {
  'test/grpc/overload.test.ts': 'a pause of a second, for which no call may be refused',
  'test/e2e/outage.test.ts': 'answers within a second, and recovery within two',
  'test/faults/process-stop.test.ts': 'the 900 ms that the gateway waits for an answer',
  'test/e2e/races.test.ts': 'the 900 ms that the gateway waits for an answer',
  'test/e2e/overload.test.ts': 'the 500 ms that a service under overload waits for Redis',
  'test/e2e/pauses.test.ts': 'a pause of a second, for which no call may be refused',
  'test/gateway/outage.test.ts': 'answers within a second, and recovery within two',
  'test/validator/feed-attacks.test.ts': 'the 250 ms that a strict caller waits for a pong',
  'test/validator/feed.test.ts': 'the 250 ms that a strict caller waits for a pong',
  'test/faults/slot-move.test.ts': 'few calls fail while a slot moves',
};

/** Files that run at the end, one after the other while nothing else does, and what other work would falsify. */
export const ALONE: Readonly<Record<string, string>> = {
  'test/faults/redis-faults.test.ts':
    'answers within a second in each fault of Redis; three faults at a time fill both cores',
  'test/e2e/capacity.test.ts': 'as many calls as a service takes, none of which may be refused',
};

/** Of all other files, those that take longest, in the order in which they begin, so that none of them ends last. */
export const FIRST: readonly string[] = [
  'test/chaos/sentinel.test.ts',
  'test/chaos/cluster.test.ts',
  'test/faults/sentinel-failover.test.ts',
  'test/faults/cluster-failover.test.ts',
  'test/workers/serve.test.ts',
  'test/faults/cluster-owner.test.ts',
  'test/faults/cluster-replicas.test.ts',
  'test/workers/roll.test.ts',
  'test/faults/failover.test.ts',
  'test/e2e/replicated-stores.test.ts',
  'test/chaos/chaos.test.ts',
  'test/chaos/validators.test.ts',
  'test/chaos/planted.test.ts',
  'test/faults/process-kill.test.ts',
  'test/faults/process-disk.test.ts',
  'test/e2e/crash.test.ts',
  'test/core/interleavings.test.ts',
  'test/workers/pool.test.ts',
  'test/commands/environment.test.ts',
  'test/commands/lean.test.ts',
  'test/commands/output.test.ts',
  'test/commands/command-line.test.ts',
  'test/bench/speed.test.ts',
  'test/adapters/redis/sentinel-takeover.test.ts',
  'test/adapters/redis/moving-slot.test.ts',
  'test/commands/tls.test.ts',
  'test/e2e/rotation.test.ts',
  'test/attacks/grpc-port.test.ts',
  'test/validator/service.test.ts',
  'test/validator/when-stale.test.ts',
  'test/validator/tls.test.ts',
  'test/validator/sources.test.ts',
  'test/validator/feed-nodes.test.ts',
];
