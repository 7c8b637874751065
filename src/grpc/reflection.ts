// Owns reflection: the contract with its comments, as the descriptors that are generated beside the code, so that
// grpcurl needs no file of its own.

import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

// From dist/src/grpc to the folder `proto` beside dist. Not made from the .proto files at start: the loader would lose
// the comments, and the imports, without which grpcurl does not know google.protobuf.Struct.
const DESCRIPTORS = new URL('../../../proto/gen/descriptors.binpb', import.meta.url);

/**
 * Adds grpc.reflection.v1 and v1alpha.
 * @param services the full names of the services on this server, such as `auth.v1.AuthService`
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const fileDescriptorProtos = filesOf(readFileSync(DESCRIPTORS));
  // Reflection reads the files of a definition and nothing else of it.
  const definition = { contract: { fileDescriptorProtos } } as unknown as PackageDefinition;
  new ReflectionService(definition, { services: [...services] }).addToServer(server);
}

/** The files of a FileDescriptorSet, each still encoded: its field 1, repeated. */
function filesOf(set: Uint8Array): Buffer[] {
  const reader = new BinaryReader(set);
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) files.push(Buffer.from(reader.bytes()));
    else reader.skip(wireType);
  }
  return files;
}
