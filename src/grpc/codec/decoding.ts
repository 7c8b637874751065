// Decoding of requests: an invalid one gets a clear status and a log line, like every other error.

import { InvalidInput } from '../../core/errors.js';
import { checkFieldCount } from './field-count.js';

/** The input of a handler: the message, or why it cannot be decoded. */
export type Decoded<Request> = Request | InvalidInput;

interface Method {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
}
/** @throws InvalidInput */
type Check = (bytes: Buffer) => void;
type WithDecodeErrors<Definition> = {
  readonly [name in keyof Definition]: Omit<Definition[name], 'requestDeserialize'> & {
    readonly requestDeserialize: Definition[name] extends { requestDeserialize: (bytes: Buffer) => infer Request }
      ? (bytes: Buffer) => Decoded<Request>
      : never;
  };
};

/**
 * A service definition whose methods return decode errors as values. gRPC by itself would answer INTERNAL.
 * @param checks additional checks of the bytes, by method, before decoding
 */
export function withDecodeErrors<Definition extends object>(
  definition: Definition,
  checks: { readonly [name in keyof Definition]?: Check } = {},
): WithDecodeErrors<Definition> {
  const methods = Object.entries(definition) as [keyof Definition, Method][];
  const entries = methods.map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): Decoded<unknown> => {
      try {
        checkFieldCount(bytes);
        checks[name]?.(bytes);
        return method.requestDeserialize(bytes);
      } catch (error) {
        if (error instanceof InvalidInput) return error;
        const description = 'is not a valid message of this method, or is nested too deeply';
        return new InvalidInput({ field: 'request', reason: 'INVALID', description });
      }
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(entries) as WithDecodeErrors<Definition>;
}
