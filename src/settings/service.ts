// The settings of the service: the variables, their defaults, and the rules between them.

import { availableParallelism } from 'node:os';
import type { Policy } from '../core/policy.js';
import type { Address, Environment } from '../platform/env.js';
import { type GrpcPortSettings, readGrpcPorts } from './grpc.js';
import { type IssuerSettings, readIssuer } from './issuer.js';
import { type KeySettings, readKeySettings } from './keys.js';
import type { Mode } from './mode.js';
import { type HealthSettings, readHealth } from './monitoring.js';
import { readPolicy } from './policy.js';
import { type ExtAuthzSettings, readExtAuthz } from './proxies.js';
import { readStore, type StoreSettings } from './store.js';
import { type ListenerTls, readListenerTls } from './tls.js';

export interface ServiceSettings extends IssuerSettings {
  readonly grpc: Address;
  readonly issuerAddress: Address | undefined;
  /** Limits of both listeners. */
  readonly grpcPorts: GrpcPortSettings;
  /** TLS of both listeners. */
  readonly tls: ListenerTls;
  /** Undefined: Envoy's external authorization is not served. */
  readonly extAuthz: ExtAuthzSettings | undefined;
  /** Undefined: no probes by HTTP. */
  readonly health: HealthSettings | undefined;
  readonly store: StoreSettings;
  readonly keys: KeySettings;
  readonly policy: Policy;
  /** The most concurrent calls. */
  readonly maxConcurrentCalls: number;
  /** The most streams of WatchRevocations. */
  readonly maxWatchers: number;
  /** How many verified access tokens the cache holds. */
  readonly verifiedTokens: number;
  /** The number of worker processes. */
  readonly workers: number;
}

const MOST_WORKERS = 256;
/** A larger value would be no limit in practice. */
const MAX_CALLS = 1_000_000;
/** At about 2 KiB each, more would not fit into Node's default heap. */
const MAX_VERIFIED = 1_000_000;
/** Reads all settings of the service. `env` records the faults, for its `check`. */
export function readServiceSettings(env: Environment, mode: Mode, nowMs: number): ServiceSettings {
  const keys = readKeySettings(env, mode === 'dev');
  const grpc = env.address('GRPC_ADDRESS', '127.0.0.1:50051');
  const issuerAddress = env.address('ISSUER_ADDRESS');
  const tls = readListenerTls(env, { GRPC_ADDRESS: grpc, ISSUER_ADDRESS: issuerAddress });
  return {
    grpc,
    issuerAddress,
    grpcPorts: readGrpcPorts(env),
    tls,
    extAuthz: readExtAuthz(env),
    health: readHealth(env),
    ...readIssuer(env, mode === 'dev' ? 'fault' : 'none', tls.files?.ca !== undefined),
    store: readStore(env, mode),
    keys,
    policy: readPolicy(env, keys.adopt, nowMs),
    maxConcurrentCalls: env.count('MAX_CONCURRENT_CALLS', 256, { min: 1, max: MAX_CALLS }),
    maxWatchers: env.count('MAX_WATCHERS', 1_000, { min: 0, max: MAX_CALLS }),
    verifiedTokens: env.count('VERIFIED_TOKENS', 20_000, { min: 0, max: MAX_VERIFIED }),
    // `dev` is one process together with its gateway.
    workers: mode === 'serve' ? readWorkers(env) : 1,
  };
}

function readWorkers(env: Environment): number {
  const text = env.text('WORKERS', { default: '1' });
  if (text === 'auto') return availableParallelism();
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_WORKERS) return count;
  env.fault('WORKERS', JSON.stringify(text), `auto, or a whole number from 1 to ${MOST_WORKERS}`);
  return 1;
}
