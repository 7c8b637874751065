// What a request costs to decode, counted on its bytes: a message of two bytes a field takes long to decode, however
// small it is.

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { InvalidInput } from '../core/errors.js';

/** More than any request of the contract has: a batch has a thousand tokens. */
const MAX_FIELDS = 2_000;

/** @throws InvalidInput for a message with more fields than any of the contract has; Error for what is no message */
export function checkFieldCount(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  for (let count = 0; reader.pos < reader.len; count++) {
    if (count === MAX_FIELDS) {
      const description = `must have at most ${MAX_FIELDS} fields`;
      throw new InvalidInput({ field: 'request', reason: 'TOO_LARGE', description });
    }
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
  }
}
