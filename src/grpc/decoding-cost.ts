// What a request costs to decode, counted on its bytes: a message of two bytes a field takes long to decode, however
// small it is.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { InvalidInput } from '../core/errors.js';

/** More than any request of the contract has: a batch has a thousand tokens. */
const MAX_FIELDS = 2_000;
/**
 * Fields within claims, nested ones too. Claims that fit into a token have fewer: each takes two bytes of JSON at
 * least, and two fields.
 */
const MAX_CLAIM_FIELDS = 8_192;
/** Deeper nesting is the decoder's to refuse. */
const MAX_DEPTH = 100;

/** Which fields of a message are messages that are counted, too. */
interface Nested {
  readonly [field: number]: () => Nested;
}
// google.protobuf.Struct, the entries of its map, Value and ListValue.
const STRUCT: Nested = { 1: () => ENTRY };
const ENTRY: Nested = { 2: () => VALUE };
const VALUE: Nested = { 5: () => STRUCT, 6: () => LIST };
const LIST: Nested = { 1: () => VALUE };
const ISSUE_TOKEN_REQUEST: Nested = { 2: () => STRUCT };

/** Refuses a request with more fields than any message of the contract has. */
export function refuseManyFields(bytes: Buffer): InvalidInput | undefined {
  if (countFields(bytes, {}, MAX_FIELDS) <= MAX_FIELDS) return undefined;
  return new InvalidInput({
    field: 'request',
    reason: 'TOO_LARGE',
    description: `must have at most ${MAX_FIELDS} fields`,
  });
}

/** Refuses an IssueTokenRequest with more claims than any token has room for. */
export function refuseManyClaims(bytes: Buffer): InvalidInput | undefined {
  if (countFields(bytes, ISSUE_TOKEN_REQUEST, MAX_CLAIM_FIELDS) <= MAX_CLAIM_FIELDS) return undefined;
  return new InvalidInput({
    field: 'claims',
    reason: 'TOO_LARGE',
    description: 'has too many values: use fewer claims',
  });
}

/** Counts fields until there are more than `most`. @throws if the bytes are no protobuf */
function countFields(bytes: Uint8Array, nested: Nested, most: number, depth = 0): number {
  const reader = new BinaryReader(bytes);
  let count = 0;
  while (reader.pos < reader.len && count <= most) {
    const [field, wireType] = reader.tag();
    const inner = nested[field];
    count++;
    if (!inner || wireType !== WireType.LengthDelimited || depth >= MAX_DEPTH) reader.skip(wireType, field);
    else count += countFields(reader.bytes(), inner(), most - count, depth + 1);
  }
  return count;
}
