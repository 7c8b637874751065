// `latchkey serve`: the gRPC service alone, with explicit keys and store, in one process or in several workers.

import { fileURLToPath } from 'node:url';
import { Environment } from '../platform/env.js';
import { createLogger, type Logger } from '../platform/log.js';
import { logOutputTo } from '../platform/output/foreign-output.js';
import { MIN_ISSUER_TOKEN } from '../settings/issuer.js';
import { readLogLevel, readServiceSettings, type ServiceSettings } from '../settings/service.js';
import { checkSettings, logWarnings } from './settings-warnings.js';
import { stopOnSignal } from './shutdown.js';

/** The program of each worker, with the command `worker`. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export async function serve(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readServiceSettings(env, 'serve', Date.now());
  const level = readLogLevel(env);
  const isOne = settings.workers === 1;
  // Kept for later restarts of workers. A single process keeps none.
  const secrets = isOne ? {} : env.secrets();
  env.forgetSecrets(variables);
  checkSettings(env);
  const log = createLogger({ name: 'latchkey', level, isShared: !isOne });
  logOutputTo(log);
  logWarnings(env, log);
  warnIssuerOff(settings, log);
  if (!isOne) return serveByWorkers(settings.workers, secrets, log);
  // Loaded here, because the primary of workers does not need it.
  const { startService } = await import('../service.js');
  const starting = startService(settings, log);
  // Before the log line that says it listens: a reader of that may send the signal at once.
  stopOnSignal(log, async () => (await starting).stop());
  await starting;
}

async function serveByWorkers(count: number, secrets: Readonly<Record<string, string>>, log: Logger): Promise<void> {
  const { Pool } = await import('../workers/pool.js');
  const pool = new Pool(log, { count, exec: MAIN, args: ['worker'], secrets });
  process.on('SIGHUP', () => pool.roll());
  stopOnSignal(
    log,
    () => pool.stop(),
    () => pool.kill(),
  );
  await pool.start();
}

function warnIssuerOff(settings: ServiceSettings, log: Logger): void {
  const { issuerToken, otherIssuerTokens, revokerToken, issuerClientNames } = settings;
  if (issuerToken || revokerToken || otherIssuerTokens.length > 0 || issuerClientNames.length > 0) return;
  const idle = settings.issuerAddress ? ', and ISSUER_ADDRESS is not used' : '';
  log.warn({}, `ISSUER_TOKEN is unset or shorter than ${MIN_ISSUER_TOKEN} characters: IssuerService is off${idle}`);
}
