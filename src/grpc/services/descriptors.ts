// The file descriptors of the contract, with an index of their symbols.

import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';

// From dist/src/grpc/services to the folder `proto` beside dist. Built by buf and not from the .proto files at start:
// the loader loses comments and imports, and without imports grpcurl does not know google.protobuf.Struct.
const DESCRIPTORS = new URL('../../../../proto/gen/descriptors.binpb', import.meta.url);

/** Field numbers of google.protobuf.FileDescriptorSet and of its parts. */
const SET = { file: 1 } as const;
const FILE = { name: 1, package: 2, dependency: 3, message: 4, enum: 5, service: 6, extension: 7 } as const;
const MESSAGE = { name: 1, field: 2, message: 3, enum: 4, extension: 6, oneof: 8 } as const;
const ENUM = { name: 1, value: 2 } as const;
const SERVICE = { name: 1, method: 2 } as const;
const NAME = 1;

interface Index {
  /** Encoded FileDescriptorProtos by file name. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  /** The file of each symbol, by the symbol's full name. */
  readonly symbols: ReadonlyMap<string, string>;
}

export class Descriptors {
  readonly #set: Buffer;
  #known: Index | undefined;

  /** Reads the file at once, so that a service without it does not start. */
  constructor(set: Buffer = readFileSync(DESCRIPTORS)) {
    this.#set = set;
  }

  fileOf(symbol: string): string | undefined {
    return this.#index.symbols.get(symbol);
  }

  /** A file and all its imports, in order of dependency; undefined: there is no such file. */
  withImports(name: string): readonly Buffer[] | undefined {
    const { files, dependencies } = this.#index;
    if (!files.has(name)) return undefined;
    const found = new Map<string, Buffer>();
    const visit = (each: string): void => {
      const bytes = files.get(each);
      if (!bytes || found.has(each)) return;
      found.set(each, bytes);
      for (const dependency of dependencies.get(each) ?? []) visit(dependency);
    };
    visit(name);
    return [...found.values()];
  }

  /** Made at the first use, because most services are never asked. It takes about 13 ms of processor time. */
  get #index(): Index {
    this.#known ??= indexOf(this.#set);
    return this.#known;
  }
}

function indexOf(set: Buffer): Index {
  const files = new Map<string, Buffer>();
  const dependencies = new Map<string, readonly string[]>();
  const symbols = new Map<string, string>();
  for (const bytes of fieldsOf(set).get(SET.file) ?? []) {
    const fields = fieldsOf(bytes);
    const [name = ''] = textsOf(fields, FILE.name);
    const [scope = ''] = textsOf(fields, FILE.package);
    files.set(name, bytes);
    dependencies.set(name, textsOf(fields, FILE.dependency));
    const add = (symbol: string): void => void symbols.set(symbol, name);
    for (const message of fields.get(FILE.message) ?? []) addMessage(message, scope, add);
    for (const each of fields.get(FILE.enum) ?? []) addWithMembers(each, scope, ENUM.value, add);
    for (const each of fields.get(FILE.service) ?? []) addWithMembers(each, scope, SERVICE.method, add);
    for (const extension of fields.get(FILE.extension) ?? []) add(within(scope, symbolName(extension)));
  }
  return { files, dependencies, symbols };
}

function addMessage(bytes: Buffer, scope: string, add: (symbol: string) => void): void {
  const fields = fieldsOf(bytes);
  const full = within(scope, nameIn(fields));
  add(full);
  for (const number of [MESSAGE.field, MESSAGE.extension, MESSAGE.oneof]) {
    for (const member of fields.get(number) ?? []) add(within(full, symbolName(member)));
  }
  for (const message of fields.get(MESSAGE.message) ?? []) addMessage(message, full, add);
  for (const each of fields.get(MESSAGE.enum) ?? []) addWithMembers(each, full, ENUM.value, add);
}

/** An enum with its values, or a service with its methods. */
function addWithMembers(bytes: Buffer, scope: string, members: number, add: (symbol: string) => void): void {
  const fields = fieldsOf(bytes);
  const full = within(scope, nameIn(fields));
  add(full);
  for (const member of fields.get(members) ?? []) add(within(full, symbolName(member)));
}

const within = (scope: string, name: string): string => (scope === '' ? name : `${scope}.${name}`);

const textsOf = (fields: ReadonlyMap<number, readonly Buffer[]>, number: number): string[] =>
  (fields.get(number) ?? []).map((bytes) => bytes.toString());

const nameIn = (fields: ReadonlyMap<number, readonly Buffer[]>): string => textsOf(fields, NAME)[0] ?? '';

const symbolName = (bytes: Buffer): string => nameIn(fieldsOf(bytes));

/** The length-delimited fields of a message, by number. */
function fieldsOf(bytes: Uint8Array): Map<number, Buffer[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Buffer[]>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType !== 2) {
      reader.skip(wireType, number);
      continue;
    }
    // A part of the same memory, not a copy: each level of nesting would copy all below it.
    const { buffer, byteOffset, byteLength } = reader.bytes();
    const value = Buffer.from(buffer, byteOffset, byteLength);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return fields;
}
