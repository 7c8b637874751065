// A planted bug, loaded before a node: a lease on a primary that does not end while the voters are silent.

import { PrimaryLease } from '../../../src/adapters/redis/topology/primary-lease.js';

const { record } = PrimaryLease.prototype;

PrimaryLease.prototype.record = function (voter, answer) {
  return record.call(this, voter, { ...answer, askedMs: answer.askedMs + 3_600_000 });
};
