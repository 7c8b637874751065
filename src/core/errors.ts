// The errors of the core, a closed set of codes, independent of the transport.

import { TokenRefused } from './token/errors.js';

/** One wrong field of a request. */
export interface Violation {
  /** The field's name in the contract, such as `refresh_token`. */
  readonly field: string;
  readonly reason: 'REQUIRED' | 'TOO_LARGE' | 'INVALID' | 'RESERVED' | 'CONFLICT';
  /** What is wrong and what is expected, for people. */
  readonly description: string;
}

/** The request is invalid, whatever its tokens. */
export class InvalidInput extends Error {
  readonly code = 'INVALID_INPUT';
  override readonly name = 'InvalidInput';
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.field}: ${violation.description}`);
    this.violation = violation;
  }
}

/**
 * The store did not answer, or its answer cannot be trusted: the token's state is unknown, neither valid nor invalid.
 */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
  override readonly name = 'StoreUnavailable';

  /** @param detail what failed, for the log; `cause` is the driver's own error, for the log too */
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
  }
}

/** Every error that a use case throws on purpose. Any other error is a bug. */
export type CoreError = TokenRefused | InvalidInput | StoreUnavailable;

export const isCoreError = (error: unknown): error is CoreError =>
  error instanceof TokenRefused || error instanceof InvalidInput || error instanceof StoreUnavailable;
