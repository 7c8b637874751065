// Checks of the claims in an IssueTokenRequest that only its bytes allow: what the generated decoder drops or replaces.
// https://protobuf.dev/programming-guides/encoding, https://protobuf.dev/reference/protobuf/google.protobuf/#struct

import { isUtf8 } from 'node:buffer';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { formatPath, PROTO_NAME } from '../core/claim-values.js';
import { InvalidInput } from '../core/errors.js';
import { MAX_CLAIM_DEPTH, MAX_TOKEN_BYTES, TOKEN_SPARE_BYTES } from '../core/policy.js';

/** IssueTokenRequest.claims. */
const CLAIMS = 2;
/**
 * Claims of more bytes fit into no token, so they are not looked at. The most bytes for a character of a token take lists
 * of digits: 11 bytes for `1,`, which is 8/3 characters of base64url.
 */
const MAX_CLAIMS_BYTES = (MAX_TOKEN_BYTES - TOKEN_SPARE_BYTES) * 5;
/** The kinds of google.protobuf.Value by field number, each with its wire type; there is no field 0. */
const KINDS = [
  undefined,
  ...[WireType.Varint, WireType.Bit64, WireType.LengthDelimited, WireType.Varint],
  ...[WireType.LengthDelimited, WireType.LengthDelimited],
];
const [STRING, STRUCT, LIST] = [3, 5, 6];

/**
 * Checks that nothing in the claims would change on the way into a token: text is UTF-8, each name occurs once and is
 * not `__proto__`, each value has one kind. Protobuf lets the last of two equal names win; here both are refused.
 * @throws InvalidInput RESERVED, TOO_LARGE or INVALID; Error for what is no message
 */
export function checkWireClaims(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let found = false;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== CLAIMS || wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else {
      if (found) refuse('INVALID', 'must be sent once');
      found = true;
      const end = endOf(reader);
      if (end - reader.pos > MAX_CLAIMS_BYTES) refuse('TOO_LARGE', 'no token has room for so much: use fewer claims');
      new ClaimsCheck(reader, bytes).struct(end);
    }
  }
}

/** One walk over the bytes. It makes no message, and the path alone as it goes. */
class ClaimsCheck {
  readonly #reader: BinaryReader;
  readonly #bytes: Buffer;
  readonly #path: (string | number)[] = [];

  constructor(reader: BinaryReader, bytes: Uint8Array) {
    this.#reader = reader;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  struct(end: number): void {
    const names = new Set<string>();
    while (this.#reader.pos < end) if (this.#isNext(1)) this.#entry(endOf(this.#reader), names);
    this.#closed(end);
  }

  /** The entry of a map: the name is field 1, the value field 2. Either may come first, and a missing one is empty. */
  #entry(end: number, names: Set<string>): void {
    const reader = this.#reader;
    let name: string | undefined;
    let value: { readonly from: number; readonly to: number } | undefined;
    while (reader.pos < end) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited || field > 2) {
        reader.skip(wireType, field);
        continue;
      }
      const [from, to] = [reader.pos, endOf(reader)];
      if ((field === 1 ? name : value) !== undefined) {
        refuse('INVALID', `an entry in ${this.#where()} has two names or two values`);
      }
      if (field === 1) name = this.#name(to);
      else value = { from, to };
      reader.pos = to;
    }
    this.#closed(end);
    this.#path.push(name ?? '');
    if (name === PROTO_NAME) refuse('RESERVED', `the name ${this.#where()} is reserved: leave it out or rename it`);
    if (names.has(name ?? '')) refuse('INVALID', `the name ${this.#where()} occurs twice`);
    names.add(name ?? '');
    reader.pos = value?.from ?? end;
    this.#value(value ? endOf(reader) : end);
    reader.pos = end;
    this.#path.pop();
  }

  #name(to: number): string {
    const from = this.#reader.pos;
    const name = this.#bytes.toString('utf8', from, to);
    // The decoder puts U+FFFD for bytes that are not UTF-8, but a name may hold it, too.
    const isText = !name.includes('\ufffd') || isUtf8(this.#bytes.subarray(from, to));
    if (!isText) refuse('INVALID', `a name in ${this.#where()} is not UTF-8`);
    return name;
  }

  #value(end: number): void {
    const reader = this.#reader;
    let kinds = 0;
    while (reader.pos < end) {
      const [field, wireType] = reader.tag();
      const isKind = KINDS[field] === wireType;
      if (isKind) kinds++;
      if (!isKind || wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
      else this.#content(field, endOf(reader));
    }
    this.#closed(end);
    if (kinds !== 1) refuse('INVALID', `the value at ${this.#where()} must have exactly one kind`);
  }

  #content(field: number, end: number): void {
    if (field === STRING && !isUtf8(this.#bytes.subarray(this.#reader.pos, end))) {
      refuse('INVALID', `the text at ${this.#where()} is not UTF-8`);
    }
    // What is deeper is refused by the core, by its depth.
    const isDeep = this.#path.length > MAX_CLAIM_DEPTH;
    if (field === STRUCT && !isDeep) this.struct(end);
    if (field === LIST && !isDeep) this.#list(end);
    this.#reader.pos = end;
  }

  #list(end: number): void {
    let index = 0;
    while (this.#reader.pos < end) {
      if (!this.#isNext(1)) continue;
      this.#path.push(index++);
      this.#value(endOf(this.#reader));
      this.#path.pop();
    }
    this.#closed(end);
  }

  /** Reads a tag. Skips the field unless it is this one, and length-delimited. */
  #isNext(wanted: number): boolean {
    const [field, wireType] = this.#reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) return true;
    this.#reader.skip(wireType, field);
    return false;
  }

  /** @throws Error unless the last field ended with its message */
  #closed(end: number): void {
    if (this.#reader.pos !== end) throw new RangeError('a field is longer than its message');
  }

  #where(): string {
    return this.#path.length === 0 ? 'the claims' : formatPath(this.#path);
  }
}

/** Reads a length. @returns where the field ends @throws RangeError beyond the message */
function endOf(reader: BinaryReader): number {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a field is longer than its message');
  return end;
}

function refuse(reason: 'RESERVED' | 'TOO_LARGE' | 'INVALID', description: string): never {
  throw new InvalidInput({ field: 'claims', reason, description });
}
