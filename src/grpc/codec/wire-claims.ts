// Checks of the claims in the bytes of an IssueTokenRequest, for what the generated decoder silently drops or replaces.
// https://protobuf.dev/programming-guides/encoding, https://protobuf.dev/reference/protobuf/google.protobuf/#struct

import { isUtf8 } from 'node:buffer';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { InvalidInput } from '../../core/errors.js';
import { formatPath, PROTO_NAME } from '../../core/token/claim-values.js';
import { MAX_CLAIM_DEPTH, MAX_TOKEN_BYTES, TOKEN_SPARE_BYTES } from '../../core/token/rules.js';
import { endOfField, skipField } from './wire-fields.js';

/** IssueTokenRequest.claims. */
const CLAIMS = 2;
/**
 * Larger claims fit into no token, so they are refused without a check. Lists of digits take the most bytes per
 * character of a token: 11 bytes for `1,`, which becomes 8/3 characters of base64url.
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
 * Checks that the claims reach the token unchanged: text is UTF-8, each name occurs once and is not `__proto__`, and
 * each value has exactly one kind. In protobuf the last of two equal names wins; here a duplicate is an error.
 * @throws InvalidInput RESERVED, TOO_LARGE or INVALID; Error for bytes that are not a message
 */
export function checkWireClaims(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let found = false;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== CLAIMS || wireType !== WireType.LengthDelimited) skipField(reader, wireType, field);
    else {
      if (found) throwInvalid('INVALID', 'must be sent once');
      found = true;
      const end = endOfField(reader);
      if (end - reader.pos > MAX_CLAIMS_BYTES) throwInvalid('TOO_LARGE', 'do not fit into a token: use fewer claims');
      new ClaimsCheck(reader, bytes).struct(end);
    }
  }
}

/** One pass over the bytes. It creates no message, only the path of the current value. */
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
    while (this.#reader.pos < end) if (this.#isNext(1)) this.#entry(endOfField(this.#reader), names);
    this.#closed(end);
  }

  /** A map entry: the name is field 1, the value is field 2. Either may come first; a missing one counts as empty. */
  #entry(end: number, names: Set<string>): void {
    const reader = this.#reader;
    let name: string | undefined;
    let value: { readonly from: number; readonly to: number } | undefined;
    while (reader.pos < end) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited || field > 2) {
        skipField(reader, wireType, field);
        continue;
      }
      const [from, to] = [reader.pos, endOfField(reader)];
      if ((field === 1 ? name : value) !== undefined) {
        throwInvalid('INVALID', `an entry in ${this.#where()} has two names or two values`);
      }
      if (field === 1) name = this.#name(to);
      else value = { from, to };
      reader.pos = to;
    }
    this.#closed(end);
    this.#path.push(name ?? '');
    if (name === PROTO_NAME) {
      throwInvalid('RESERVED', `the name ${this.#where()} is reserved: leave it out or rename it`);
    }
    if (names.has(name ?? '')) throwInvalid('INVALID', `the name ${this.#where()} occurs twice`);
    names.add(name ?? '');
    reader.pos = value?.from ?? end;
    this.#value(value ? endOfField(reader) : end);
    reader.pos = end;
    this.#path.pop();
  }

  #name(to: number): string {
    const from = this.#reader.pos;
    const name = this.#bytes.toString('utf8', from, to);
    // The decoder replaces bytes that are not UTF-8 by U+FFFD, but a valid name may contain U+FFFD, too.
    const isText = !name.includes('\ufffd') || isUtf8(this.#bytes.subarray(from, to));
    if (!isText) throwInvalid('INVALID', `a name in ${this.#where()} is not UTF-8`);
    return name;
  }

  #value(end: number): void {
    const reader = this.#reader;
    let kinds = 0;
    while (reader.pos < end) {
      const [field, wireType] = reader.tag();
      const isKind = KINDS[field] === wireType;
      if (isKind) kinds++;
      if (!isKind || wireType !== WireType.LengthDelimited) skipField(reader, wireType, field);
      else this.#content(field, endOfField(reader));
    }
    this.#closed(end);
    if (kinds !== 1) throwInvalid('INVALID', `the value at ${this.#where()} must have exactly one kind`);
  }

  #content(field: number, end: number): void {
    if (field === STRING && !isUtf8(this.#bytes.subarray(this.#reader.pos, end))) {
      throwInvalid('INVALID', `the text at ${this.#where()} is not UTF-8`);
    }
    // The core refuses deeper values, because of their depth.
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
      this.#value(endOfField(this.#reader));
      this.#path.pop();
    }
    this.#closed(end);
  }

  /** Reads a tag. Skips the field unless it has this number and is length-delimited. */
  #isNext(wanted: number): boolean {
    const [field, wireType] = this.#reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) return true;
    skipField(this.#reader, wireType, field);
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

function throwInvalid(reason: 'RESERVED' | 'TOO_LARGE' | 'INVALID', description: string): never {
  throw new InvalidInput({ field: 'claims', reason, description });
}
