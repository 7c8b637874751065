// The settings of the gRPC ports: limits on connections and time, and reflection.

import type { Environment } from '../platform/env.js';

/** Durations in ms. */
export interface GrpcPortSettings {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionIdleMs: number;
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
  readonly messageTimeoutMs: number;
  /** Whether reflection is served. */
  readonly reflection: boolean;
}

/** More than one Node process can serve. */
const MOST_CONNECTIONS = 100_000;
const SECOND_MS = 1000;
const YEAR_MS = 365 * 24 * 60 * 60 * SECOND_MS;

/** `env` records the faults, for its `check`. */
export function readGrpcPorts(env: Environment): GrpcPortSettings {
  const count = { min: 1, max: MOST_CONNECTIONS };
  const duration = { min: SECOND_MS, max: YEAR_MS };
  return {
    maxConnections: env.count('GRPC_MAX_CONNECTIONS', 2048, count),
    maxConnectionsPerAddress: env.count('GRPC_MAX_CONNECTIONS_PER_ADDRESS', 1024, count),
    maxConnectionIdleMs: env.duration('GRPC_MAX_CONNECTION_IDLE', '10m', duration),
    maxConnectionAgeMs: env.duration('GRPC_MAX_CONNECTION_AGE', '1h', duration),
    maxConnectionAgeGraceMs: env.duration('GRPC_MAX_CONNECTION_AGE_GRACE', '5m', duration),
    messageTimeoutMs: env.duration('GRPC_MESSAGE_TIMEOUT', '10s', duration),
    reflection: env.flag('GRPC_REFLECTION', true),
  };
}
