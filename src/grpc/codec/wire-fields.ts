// Steps through the fields of a protobuf message, for the decoders that do not decode all of it.

import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** Reads a length. @returns where the field ends @throws RangeError beyond the message, which ends at `end` */
export function endOfField(reader: BinaryReader, end = reader.len): number {
  const fieldEnd = reader.uint32() + reader.pos;
  if (fieldEnd > end) throw new RangeError('a field is longer than its message');
  return fieldEnd;
}

/** Skips a field whose tag was read. The reader's own method makes a view of the skipped bytes, which costs more. */
export function skipField(reader: BinaryReader, wireType: WireType, number: number): void {
  if (wireType === WireType.LengthDelimited) reader.pos = endOfField(reader);
  else reader.skip(wireType, number);
}
