// The entry of `latchkey/validator`.

export type {
  ActiveToken,
  Duration,
  InactiveProblem,
  InactiveToken,
  Source,
  ValidateOptions,
  Validation,
  Validator,
  ValidatorOptions,
  ValidatorState,
  ValidatorTls,
  WhenStale,
} from './api.js';
export { createValidator } from './create-validator.js';
export { CannotTell } from './errors.js';
