// Warnings about settings that may be mistakes, for the log or for standard error.

import { readGatewaySettings } from '../../gateway/config.js';
import { Environment } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import { readMonitoring } from '../settings/monitoring.js';
import { readServiceSettings } from '../settings/service.js';
import type { CommandIo } from './command-io.js';

/** Every setting of every command, because processes may share one environment. */
function knownSettings(): ReadonlySet<string> {
  const env = new Environment({});
  readServiceSettings(env, 'serve', 0);
  readGatewaySettings(env);
  readMonitoring(env);
  return new Set(env.asked.keys());
}

/** Looks for misspelt variables, then checks the settings. @throws ConfigError, whose message contains the warnings */
export function checkSettings(env: Environment): void {
  env.warnOfUnknown(knownSettings());
  env.check();
}

/** Logs the warnings. They never contain the value of a variable. */
export function logWarnings(env: Environment, log: Logger): void {
  for (const detail of env.warnings) log.warn({ detail }, 'a setting may be wrong');
}

/** Prints the warnings, for a command without a log. */
export function printWarnings(env: Environment, io: CommandIo): void {
  for (const warning of env.warnings) io.printMessage(`warning: ${warning}`);
}
