// A planted bug, loaded before a validator: a strict caller joins a call that was sent before it came.

import { Batcher } from '../../../src/validator/batcher.js';

const DEADLINE_MS = 1_000;
const { request } = Batcher.prototype;

Batcher.prototype.request = function (text, claims, wanted) {
  return request.call(this, text, claims, { ...wanted, maxStalenessMs: wanted.maxStalenessMs ?? DEADLINE_MS });
};
