// A planted bug, loaded before a node: a lease on a primary that does not end while the voters are silent.

import { PrimaryLease } from '../../../src/adapters/redis/topology/primary-lease.js';

const { record } = PrimaryLease.prototype;

PrimaryLease.prototype.record = function (voter, vote, askedMs, ...rest) {
  record.call(this, voter, vote, askedMs + 3_600_000, ...rest);
};
