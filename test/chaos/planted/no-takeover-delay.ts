// A planted bug, loaded before a node: a new primary is used as soon as most voters name it.

import { PrimaryLease, TAKEOVER_DELAY_MS } from '../../../src/adapters/redis/topology/primary-lease.js';

const { record } = PrimaryLease.prototype;

PrimaryLease.prototype.record = function (voter, answer) {
  return record.call(this, voter, { ...answer, receivedMs: answer.receivedMs - TAKEOVER_DELAY_MS });
};
