// Warnings of settings that may be mistakes: which commands look for them, and where they are printed.

import { readGatewaySettings } from '../../gateway/config.js';
import { Environment } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import { readLogLevel, readServiceSettings } from '../settings/service.js';
import { printMessage } from './print.js';

/** Every setting of every command: processes may share one environment. */
function knownSettings(): ReadonlySet<string> {
  const env = new Environment({});
  readServiceSettings(env, 'serve', 0);
  readGatewaySettings(env);
  readLogLevel(env);
  return new Set(env.asked.keys());
}

/** Warns of misspelt variables, then checks what was read. @throws ConfigError, whose message has the warnings too */
export function checkSettings(env: Environment): void {
  env.warnOfUnknown(knownSettings());
  env.check();
}

/** Logs the warnings. The value of a variable is in none of them. */
export function logWarnings(env: Environment, log: Logger): void {
  for (const detail of env.warnings) log.warn({ detail }, 'a setting may be wrong');
}

/** Prints the warnings of a command that has no log. */
export function printWarnings(env: Environment): void {
  for (const warning of env.warnings) printMessage(`warning: ${warning}`);
}
