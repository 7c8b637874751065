// A planted bug, loaded before a validator: the age of an answer is counted from its arrival, not from the sending.

import { Delivery } from '../../../src/validator/delivery.js';

const { answered } = Delivery.prototype;

Delivery.prototype.answered = function (call, results) {
  return answered.call(this, { ...call, sent: call.now }, results);
};
