// The spans of the store's commands, with the names of OpenTelemetry's conventions for databases.
// https://opentelemetry.io/docs/specs/semconv/database/redis/

import { ObservedStore, type ObserveOperation, type StoreOperation } from '../adapters/observed/observed-store.js';
import type { RevocationLogs, Store } from '../core/ports.js';
import type { Tracing } from '../platform/tracing.js';

interface CommandNames {
  readonly system: string;
  readonly commands: Readonly<Record<StoreOperation, string>>;
}

/** The commands of Redis 7. Each EVALSHA runs a script of ours. */
const REDIS: CommandNames = { system: 'redis', commands: { read: 'EVALSHA_RO', write: 'EVALSHA', wait: 'WAIT' } };
const LMDB: CommandNames = { system: 'lmdb', commands: { read: 'get', write: 'transaction', wait: 'none' } };

/**
 * @param waits whether the store waits for replicas at all
 * @returns a store that traces each command of a request that is under way
 */
export function traceStore(
  store: Store & RevocationLogs,
  tracing: Tracing,
  kind: 'redis' | 'lmdb',
  waits: boolean,
): Store & RevocationLogs {
  const { system, commands } = kind === 'redis' ? REDIS : LMDB;
  const observe: ObserveOperation = (operation) => {
    const command = commands[operation];
    const span = tracing.beginStep(command, { 'db.system.name': system, 'db.operation.name': command });
    return (error) => span?.end({ error: error instanceof Error ? error.name : undefined });
  };
  return new ObservedStore(store, observe, waits);
}
