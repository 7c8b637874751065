// Requests that are not valid messages of the contract: a clear status, and a line in the log like others.

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { InvalidInput } from '../core/errors.js';
import { refuseManyClaims, refuseManyFields } from './decoding-cost.js';

/** What a handler is given: the message, or why there is none. */
export type Decoded<Request> = Request | InvalidInput;

interface Method {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
}
type Check = (bytes: Buffer) => InvalidInput | undefined;
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
        return refuseManyFields(bytes) ?? checks[name]?.(bytes) ?? method.requestDeserialize(bytes);
      } catch {
        const description = 'is not a valid message of this method, or is nested too deeply';
        return new InvalidInput({ field: 'request', reason: 'INVALID', description });
      }
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(entries) as WithFaults<Definition>;
}

// An entry of a Struct with this key, as it is on the wire: field 1, nine bytes.
const PROTO_KEY = Buffer.from('\n\t__proto__');
const CLAIMS = 2;

/** What is looked at in an IssueTokenRequest before it is decoded; the count comes first, since the other look takes longer. */
export const checkIssueTokenRequest: Check = (bytes) => refuseManyClaims(bytes) ?? refuseProtoClaim(bytes);

/** Refuses an IssueTokenRequest with a claim `__proto__`: the generated code would lose it without a word. */
function refuseProtoClaim(bytes: Buffer): InvalidInput | undefined {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== CLAIMS) reader.skip(wireType);
    else if (Buffer.from(reader.bytes()).includes(PROTO_KEY)) {
      const description = 'the name __proto__ is reserved: leave it out or rename it';
      return new InvalidInput({ field: 'claims', reason: 'RESERVED', description });
    }
  }
  return undefined;
}
