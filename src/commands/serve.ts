// `latchkey serve`: the gRPC service alone, with explicit keys and store, in one process or in several workers.

import { fileURLToPath } from 'node:url';
import { Environment } from '../platform/env.js';
import { findTracing } from '../platform/find-tracing.js';
import { createLogger, type Logger } from '../platform/log.js';
import type { ProcessMetrics } from '../platform/metrics/process-metrics.js';
import { formatLastWords, logOutputTo } from '../platform/output/foreign-output.js';
import { MIN_ISSUER_TOKEN } from '../settings/issuer.js';
import { type MonitoringSettings, readMonitoring } from '../settings/monitoring.js';
import { readServiceSettings, type ServiceSettings } from '../settings/service.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import { lineFormat } from './line-format.js';
import { Probes, recordMetrics, serveMetrics } from './monitoring.js';
import { checkSettings, logWarnings } from './settings-warnings.js';
import { stopOnSignal } from './shutdown.js';

/** The program of each worker, with the command `worker`. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export async function serve(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readServiceSettings(env, 'serve', Date.now());
  const monitoring = readMonitoring(env);
  const format = lineFormat(monitoring.logFormat, 1, variables);
  formatLastWords(format);
  const isOne = settings.workers === 1;
  // Kept for later restarts of workers. A single process keeps none.
  const secrets = isOne ? {} : env.secrets();
  env.forgetSecrets(variables);
  checkSettings(env);
  const log = createLogger({ name: 'latchkey', level: monitoring.logLevel, isShared: !isOne, format });
  logOutputTo(log);
  logWarnings(env, log);
  warnIssuerOff(settings, log);
  const metrics = await recordMetrics(monitoring.metrics);
  const probes = await Probes.start(settings.health, log);
  const started = { settings, monitoring, metrics, probes, log };
  return isOne ? serveAlone(started) : serveByWorkers(started, secrets);
}

/** What both kinds of `serve` begin with. */
interface Begun {
  readonly settings: ServiceSettings;
  readonly monitoring: MonitoringSettings;
  readonly metrics: ProcessMetrics | undefined;
  readonly probes: Probes;
  readonly log: Logger;
}

async function serveAlone({ settings, monitoring, metrics, probes, log }: Begun): Promise<void> {
  if (metrics && monitoring.metrics) await serveMetrics(monitoring.metrics, metrics, log);
  // Loaded here, because the primary of workers does not need it.
  const { startService } = await import('../service/start-service.js');
  const starting = startService(settings, log, { meter: metrics, tracing: await findTracing() });
  // Before the log line that says it listens: a reader of that may send the signal at once.
  stopOnSignal(log, async () => {
    probes.retire();
    await (await starting).stop();
  });
  probes.follow(await starting);
}

async function serveByWorkers(
  { settings, monitoring, metrics, probes, log }: Begun,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const [{ Pool }, { Overview }] = await Promise.all([import('../workers/pool.js'), import('../workers/overview.js')]);
  const overview = new Overview(async (snapshots) =>
    metrics ? (await import('../platform/metrics/exposition.js')).sumOf(snapshots) : [],
  );
  const onFork = (handle: WorkerHandle): void => overview.track(handle);
  const pool = new Pool(log, { count: settings.workers, exec: MAIN, args: ['worker'], secrets, onFork });
  if (metrics && monitoring.metrics) {
    await serveMetrics(monitoring.metrics, metrics, log, () => overview.snapshots());
  }
  probes.follow(overview);
  process.on('SIGHUP', () => pool.roll());
  stopOnSignal(
    log,
    () => {
      probes.retire();
      return pool.stop();
    },
    () => pool.kill(),
  );
  await pool.start();
}

function warnIssuerOff(settings: ServiceSettings, log: Logger): void {
  const { issuerToken, otherIssuerTokens, revokerTokens, issuerClientNames } = settings;
  if (issuerToken || otherIssuerTokens.length + revokerTokens.length + issuerClientNames.length > 0) return;
  const idle = settings.issuerAddress ? ', and ISSUER_ADDRESS is not used' : '';
  log.warn({}, `ISSUER_TOKEN is unset or shorter than ${MIN_ISSUER_TOKEN} characters: IssuerService is off${idle}`);
}
