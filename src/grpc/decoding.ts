// Requests that are not valid messages of the contract: a clear status, and a line in the log like others.

import { InvalidInput } from '../core/errors.js';
import { checkFieldCount } from './decoding-cost.js';

/** What a handler is given: the message, or why there is none. */
export type Decoded<Request> = Request | InvalidInput;

interface Method {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
}
/** @throws InvalidInput */
type Check = (bytes: Buffer) => void;
type WithFaults<Definition> = {
  readonly [name in keyof Definition]: Omit<Definition[name], 'requestDeserialize'> & {
    readonly requestDeserialize: Definition[name] extends { requestDeserialize: (bytes: Buffer) => infer Request }
      ? (bytes: Buffer) => Decoded<Request>
      : never;
  };
};

/**
 * A service's definition whose methods hand faults of decoding on, where gRPC would answer INTERNAL by itself.
 * @param checks what else to look at, by method, before a request is decoded
 */
export function decodingFaults<Definition extends object>(
  definition: Definition,
  checks: { readonly [name in keyof Definition]?: Check } = {},
): WithFaults<Definition> {
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
  return Object.fromEntries(entries) as WithFaults<Definition>;
}
