// The limit on the number of fields in a request.
// A message with two bytes per field takes long to decode although it is small.

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { InvalidInput } from '../../core/errors.js';
import { skipField } from './wire-fields.js';

/** More than any valid request has: a batch has a thousand tokens. */
const MAX_FIELDS = 2_000;

/** @throws InvalidInput for too many fields; Error for bytes that are not a message */
export function checkFieldCount(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  for (let count = 0; reader.pos < reader.len; count++) {
    if (count === MAX_FIELDS) {
      const description = `must have at most ${MAX_FIELDS} fields`;
      throw new InvalidInput({ field: 'request', reason: 'TOO_LARGE', description });
    }
    const [field, wireType] = reader.tag();
    skipField(reader, wireType, field);
  }
}
