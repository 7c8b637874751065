// The decoder of Envoy's CheckRequest, for the fields that a decision needs.
// The generated decoder would also decode the value of each header of the request.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { endOfField, skipField } from './wire-fields.js';

/** What is read of a request to Envoy. */
export interface CheckInput {
  /**
   * The values of its Authorization headers. Envoy joins repeated ones with a comma, unless it sends them as received.
   */
  readonly authorization: readonly string[];
  /** The names of all its headers. */
  readonly names: readonly string[];
  /** The audience in the settings of the route; undefined: none is set. */
  readonly audience: string | undefined;
}

/** @throws Error for bytes that are not a CheckRequest */
export const decodeCheckRequest = (bytes: Uint8Array): CheckInput => new CheckReader(bytes).read();

const AUTHORIZATION = 'authorization';
const isAuthorization = (name: string): boolean =>
  name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION;

/** What a message's length-delimited fields are, by number. All others are skipped. */
type Fields = Readonly<Record<number, (reader: CheckReader, end: number) => void>>;

const HEADER_MAP: Fields = { 1: (reader, end) => reader.receivedHeader(end) };
const HTTP: Fields = {
  3: (reader, end) => reader.joinedHeader(end),
  13: (reader, end) => reader.message(HEADER_MAP, end),
};
const REQUEST: Fields = { 2: (reader, end) => reader.message(HTTP, end) };
const ATTRIBUTES: Fields = {
  4: (reader, end) => reader.message(REQUEST, end),
  10: (reader, end) => reader.extension(end),
};
const CHECK: Fields = { 1: (reader, end) => reader.message(ATTRIBUTES, end) };

class CheckReader {
  readonly #reader: BinaryReader;
  readonly #names: string[] = [];
  readonly #received: string[] = [];
  #joined: string | undefined;
  #audience: string | undefined;
  /** Of the last name and value: the name, and where the values begin; -1: there is none. */
  #name = '';
  #valueAt = -1;
  #rawAt = -1;

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes);
  }

  read(): CheckInput {
    this.message(CHECK, this.#reader.len);
    const authorization = this.#joined === undefined ? this.#received : [this.#joined, ...this.#received];
    return { authorization, names: this.#names, audience: this.#audience };
  }

  message(fields: Fields, end: number): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = wireType === WireType.LengthDelimited ? fields[number] : undefined;
      if (field) field(this, endOfField(reader, end));
      else skipField(reader, wireType, number);
    }
    if (reader.pos !== end) throw new RangeError('a field is longer than its message');
  }

  /** An entry of the map of headers. The last one of a name counts. */
  joinedHeader(end: number): void {
    this.#pair(end);
    this.#names.push(this.#name);
    if (this.#name === AUTHORIZATION) this.#joined = this.#textAt(this.#valueAt);
  }

  receivedHeader(end: number): void {
    this.#pair(end);
    this.#names.push(this.#name);
    if (isAuthorization(this.#name)) this.#received.push(this.#textAt(this.#valueAt) || this.#latin1At(this.#rawAt));
  }

  extension(end: number): void {
    this.#pair(end);
    if (this.#name === 'audience') this.#audience = this.#textAt(this.#valueAt);
  }

  /** Reads a name, 1, and finds its value, 2, or the bytes of it, 3. Values may precede names. */
  #pair(end: number): void {
    const reader = this.#reader;
    this.#name = '';
    this.#valueAt = -1;
    this.#rawAt = -1;
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const at = reader.pos;
      if (number === 1 && wireType === WireType.LengthDelimited) this.#name = reader.string();
      else skipField(reader, wireType, number);
      if (number === 2 && wireType === WireType.LengthDelimited) this.#valueAt = at;
      if (number === 3 && wireType === WireType.LengthDelimited) this.#rawAt = at;
    }
    if (reader.pos !== end) throw new RangeError('a field is longer than its message');
  }

  #textAt(at: number): string {
    return this.#at(at, () => this.#reader.string()) ?? '';
  }

  #latin1At(at: number): string {
    const bytes = this.#at(at, () => this.#reader.bytes());
    return bytes ? Buffer.from(bytes).toString('latin1') : '';
  }

  #at<Value>(at: number, read: () => Value): Value | undefined {
    if (at < 0) return undefined;
    const { pos } = this.#reader;
    this.#reader.pos = at;
    const value = read();
    this.#reader.pos = pos;
    return value;
  }
}
