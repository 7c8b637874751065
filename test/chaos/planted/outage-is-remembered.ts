// A planted bug, loaded before a validator: "cannot tell" of the service is taken for "not active", and remembered.

import { ValidateTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../../proto/gen/auth/v1/token.js';
import { Delivery } from '../../../src/validator/delivery.js';

const { answered } = Delivery.prototype;
const EMPTY = ValidateTokenResponse.decode(new Uint8Array());
const REVOKED = { validation: { ...EMPTY, problem: TokenProblem.TOKEN_PROBLEM_REVOKED }, cannotTell: undefined };

Delivery.prototype.answered = function (call, results) {
  const taken = results.map((result) => (result.cannotTell ? REVOKED : result));
  return answered.call(this, call, taken);
};
