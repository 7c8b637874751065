// The settings of monitoring: the log, and the addresses of metrics and of probes.

import type { Address, Environment } from '../platform/env.js';
import { LOG_LEVELS, type LogLevel } from '../platform/log.js';

/** `pretty` is for a person at a terminal. */
export type LogFormat = 'json' | 'pretty';

/** Settings that every process has. */
export interface MonitoringSettings {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Undefined: metrics are neither recorded nor served. */
  readonly metrics: MetricsSettings | undefined;
}

export interface MetricsSettings {
  readonly address: Address;
  /** Whether the process starts without metrics if it cannot listen there, because the address is a default. */
  readonly isOptional: boolean;
}

/** Probes for machines. */
export interface HealthSettings {
  readonly address: Address;
  /** Whether a service that does not reach its store now is not ready. */
  readonly needsStore: boolean;
}

/** The port that OpenTelemetry's exporters for Prometheus use by default. */
const DEV_METRICS = '127.0.0.1:9464';

/**
 * `env` records the faults, for its `check`.
 * @param dev undefined: another command; `isOnTerminal`: whether its log goes to a terminal
 */
export function readMonitoring(env: Environment, dev?: { readonly isOnTerminal: boolean }): MonitoringSettings {
  const isOptional = env.text('METRICS_ADDRESS') === undefined;
  const address = dev ? env.address('METRICS_ADDRESS', DEV_METRICS) : env.address('METRICS_ADDRESS');
  return {
    logLevel: env.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    logFormat: env.choice('LOG_FORMAT', ['json', 'pretty'], dev?.isOnTerminal ? 'pretty' : 'json'),
    metrics: address && { address, isOptional },
  };
}

/** @returns undefined: there are no such probes. `env` records the faults, for its `check` */
export function readHealth(env: Environment): HealthSettings | undefined {
  const address = env.address('HEALTH_ADDRESS');
  const needsStore = env.flag('READY_NEEDS_STORE', false);
  if (needsStore && !address) {
    env.fault('READY_NEEDS_STORE', 'true', 'HEALTH_ADDRESS beside it, where /readyz is');
  }
  return address && { address, needsStore };
}
