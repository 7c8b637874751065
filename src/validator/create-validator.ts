// The public factory of validators. Its declaration needs no other module than the public types.

import type { Validator, ValidatorOptions } from './api.js';
import { buildValidator } from './build-validator.js';

/**
 * Creates a validator, which begins to connect. It is meant to live as long as the process, one for each service.
 * @throws TypeError that names every wrong option; TlsFileError for a TLS file that cannot be used
 */
export const createValidator = (options: ValidatorOptions): Validator => buildValidator(options);
