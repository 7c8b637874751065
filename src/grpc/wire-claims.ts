// Checks of the claims in an IssueTokenRequest that only its bytes allow: what the generated decoder drops or replaces.
// https://protobuf.dev/programming-guides/encoding, https://protobuf.dev/reference/protobuf/google.protobuf/#struct

import { isUtf8 } from 'node:buffer';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type ClaimPath, formatPath, PROTO_NAME } from '../core/claim-values.js';
import { InvalidInput } from '../core/errors.js';
import { MAX_CLAIM_DEPTH } from '../core/policy.js';

/** IssueTokenRequest.claims. */
const CLAIMS = 2;
/** The kinds of google.protobuf.Value by field number, each with its wire type. */
const KINDS: ReadonlyMap<number, WireType> = new Map([
  [1, WireType.Varint],
  [2, WireType.Bit64],
  [3, WireType.LengthDelimited],
  [4, WireType.Varint],
  [5, WireType.LengthDelimited],
  [6, WireType.LengthDelimited],
]);
const [STRING, STRUCT, LIST] = [3, 5, 6];

/**
 * Checks that nothing in the claims would change on the way into a token: text is UTF-8, each name occurs once and is
 * not `__proto__`, each value has one kind. Protobuf lets the last of two equal names win; here both are refused.
 * @throws InvalidInput RESERVED or INVALID; Error for what is no message
 */
export function checkWireClaims(bytes: Uint8Array): void {
  let found = false;
  for (const [field, content] of fieldsOf(bytes)) {
    if (field !== CLAIMS || content === undefined) continue;
    if (found) refuse('INVALID', 'must be sent once');
    found = true;
    checkStruct(content, []);
  }
}

function checkStruct(bytes: Uint8Array, path: ClaimPath): void {
  const names = new Set<string>();
  for (const [field, content] of fieldsOf(bytes)) {
    if (field !== 1 || content === undefined) continue;
    const { name, value } = readEntry(content, path);
    const inner = [...path, name];
    if (name === PROTO_NAME) refuse('RESERVED', `the name ${formatPath(inner)} is reserved: leave it out or rename it`);
    if (names.has(name)) refuse('INVALID', `the name ${formatPath(inner)} occurs twice`);
    names.add(name);
    checkValue(value, inner);
  }
}

/** The entry of a map: the name is field 1, the value field 2. A field that is missing is empty. */
function readEntry(bytes: Uint8Array, path: ClaimPath): { name: string; value: Uint8Array } {
  const parts: Uint8Array[] = [new Uint8Array(), new Uint8Array()];
  const seen = new Set<number>();
  for (const [field, content] of fieldsOf(bytes)) {
    if (content === undefined || field > 2) continue;
    if (seen.has(field)) refuse('INVALID', `an entry in ${whereIs(path)} has two names or two values`);
    seen.add(field);
    parts[field - 1] = content;
  }
  const [name = new Uint8Array(), value = new Uint8Array()] = parts;
  if (!isUtf8(name)) refuse('INVALID', `a name in ${whereIs(path)} is not UTF-8`);
  return { name: Buffer.from(name).toString(), value };
}

function checkValue(bytes: Uint8Array, path: ClaimPath): void {
  let kinds = 0;
  for (const [field, content, wireType] of fieldsOf(bytes)) {
    if (KINDS.get(field) !== wireType) continue;
    kinds++;
    if (content === undefined) continue;
    if (field === STRING && !isUtf8(content)) refuse('INVALID', `the text at ${formatPath(path)} is not UTF-8`);
    // What is deeper is refused by the core, by its depth.
    if (path.length > MAX_CLAIM_DEPTH) continue;
    if (field === STRUCT) checkStruct(content, path);
    if (field === LIST) checkList(content, path);
  }
  if (kinds !== 1) refuse('INVALID', `the value at ${formatPath(path)} must have exactly one kind`);
}

function checkList(bytes: Uint8Array, path: ClaimPath): void {
  let index = 0;
  for (const [field, content] of fieldsOf(bytes)) {
    if (field === 1 && content !== undefined) checkValue(content, [...path, index++]);
  }
}

/** The fields of a message in their order, each with its bytes if it is length-delimited. */
function* fieldsOf(bytes: Uint8Array): Generator<readonly [number, Uint8Array | undefined, WireType]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) yield [field, reader.bytes(), wireType];
    else {
      reader.skip(wireType, field);
      yield [field, undefined, wireType];
    }
  }
}

const whereIs = (path: ClaimPath): string => (path.length === 0 ? 'the claims' : formatPath(path));

function refuse(reason: 'RESERVED' | 'INVALID', description: string): never {
  throw new InvalidInput({ field: 'claims', reason, description });
}
