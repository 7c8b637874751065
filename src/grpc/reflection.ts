// Owns reflection: the contract as files, read at start, so that grpcurl needs none of its own.

import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

// From dist/src/grpc to the folder `proto` beside dist.
const PROTO_DIR = fileURLToPath(new URL('../../../proto', import.meta.url));
// With the messages of our error details, so that a client can print them.
const SHARED = ['google/rpc/error_details.proto', 'grpc/health/v1/health.proto'];

/**
 * Adds grpc.reflection.v1 and v1alpha.
 * @param services the full names of the services on this server, such as `auth.v1.AuthService`
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const definition = loadSync([...services.map(fileOf), ...SHARED], {
    includeDirs: [PROTO_DIR],
    keepCase: true,
    longs: String,
    enums: String,
  });
  new ReflectionService(definition, { services: [...services, 'grpc.health.v1.Health'] }).addToServer(server);
}

/** The file that owns a service: `auth.v1.AuthService` is in auth/v1/auth_service.proto. */
function fileOf(service: string): string {
  const path = service.replaceAll('.', '/').replace(/(?<=[a-z])(?=[A-Z])/g, '_');
  return `${path.toLowerCase()}.proto`;
}
