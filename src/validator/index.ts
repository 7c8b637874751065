// The entry of `latchkey/validator`.

export type {
  ActiveToken,
  Duration,
  InactiveProblem,
  InactiveToken,
  ValidateOptions,
  Validation,
  Validator,
  ValidatorOptions,
  ValidatorState,
  ValidatorTls,
} from './api.js';
export { CannotTell } from './cannot-tell.js';
export { createValidator } from './create-validator.js';
