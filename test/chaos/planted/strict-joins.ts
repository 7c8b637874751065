// A planted bug, loaded before a validator: a strict caller joins a call that was sent before it came.

import { Asker } from '../../../src/validator/asker.js';

const DEADLINE_MS = 1_000;
const { ask } = Asker.prototype;

Asker.prototype.ask = function (text, claims, maxStalenessMs) {
  return ask.call(this, text, claims, maxStalenessMs ?? DEADLINE_MS);
};
