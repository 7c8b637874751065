// The two parts of the whole suite: which files run alone, and which of the others begin first.

/** Files that run one after the other while nothing else does, and what other work would falsify. */
export const ALONE: Readonly<Record<string, string>> = {
  'test/e2e/outage.test.ts': 'answers within a second, and recovery within two',
  'test/e2e/overload.test.ts': 'as many calls as a service takes, none of which may be refused',
  'test/faults/redis-faults.test.ts': 'answers within a second, and recovery within two, in each fault of Redis',
  'test/gateway/outage.test.ts': 'answers within a second, and recovery within two',
  'test/grpc/event-loop.test.ts': 'how long the event loop is held up',
  'test/grpc/overload.test.ts': 'as many calls as a server takes, none of which may be refused',
};

/** The files of the other part that take longest, in the order in which they begin, so that none of them ends last. */
export const FIRST: readonly string[] = [
  'test/clients/clients.test.ts',
  'test/chaos/cluster.test.ts',
  'test/chaos/sentinel.test.ts',
  'test/e2e/replicated-stores.test.ts',
  'test/faults/cluster-failover.test.ts',
  'test/faults/sentinel-failover.test.ts',
  'test/adapters/redis/cluster-store.test.ts',
  'test/adapters/redis/sentinel-store.test.ts',
  'test/faults/failover.test.ts',
  'test/workers/roll.test.ts',
  'test/workers/serve.test.ts',
  'test/faults/cluster-owner.test.ts',
  'test/faults/cluster-replicas.test.ts',
  'test/chaos/planted.test.ts',
  'test/commands/command-line.test.ts',
];
