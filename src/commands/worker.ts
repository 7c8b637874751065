// `latchkey worker`: the service in one worker process. `latchkey serve` starts it if WORKERS is above one.

import { Environment } from '../platform/env.js';
import { findTracing } from '../platform/find-tracing.js';
import { createLogger } from '../platform/log.js';
import { formatLastWords, logOutputTo } from '../platform/output/foreign-output.js';
import { startService } from '../service/start-service.js';
import { readMonitoring } from '../settings/monitoring.js';
import { readServiceSettings } from '../settings/service.js';
import { PrimaryChannel } from '../workers/primary-channel.js';
import { formatError } from './format-error.js';
import { lineFormat } from './line-format.js';
import { recordMetrics } from './monitoring.js';
import { stopOnSignal } from './shutdown.js';
import { UsageError } from './usage.js';

export async function worker(variables: NodeJS.ProcessEnv): Promise<void> {
  // SIGHUP is for the primary. If it is sent to the whole process group, workers must ignore it.
  process.on('SIGHUP', () => {});
  const primary = PrimaryChannel.find();
  if (!primary) throw new UsageError('only `serve` starts a worker: set WORKERS, and run `latchkey serve`');
  try {
    await serveFor(primary, variables);
  } catch (error) {
    // The primary reports the error once for all workers.
    await primary.send({ kind: 'failed', why: formatError(error) });
    process.exit(1);
  }
}

async function serveFor(primary: PrimaryChannel, variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment({ ...variables, ...(await primary.takeSecrets()) });
  const settings = readServiceSettings(env, 'serve', Date.now());
  const { logLevel: level, logFormat, metrics: metricsSettings } = readMonitoring(env);
  const format = lineFormat(logFormat, 1, variables);
  formatLastWords(format);
  env.forgetSecrets(variables);
  env.check();
  const { worker } = primary;
  const log = createLogger({ name: 'latchkey', level, isShared: true, format }).child({ worker });
  logOutputTo(log);
  let isStarting = true;
  void primary.end.then((reason) => {
    // Without the primary no worker can listen, so this start would never end.
    if (isStarting && reason === 'the primary is gone') process.exit(1);
  });
  // The primary serves them.
  const metrics = await recordMetrics(metricsSettings);
  if (metrics) primary.onMetricsRequest(() => metrics.snapshot());
  const service = await startService(settings, log, { worker, meter: metrics, tracing: await findTracing() });
  isStarting = false;
  const stop = stopOnSignal(log, async () => {
    await service.stop();
    if (metrics) await primary.send({ kind: 'metrics', metrics: metrics.snapshot() });
  });
  void primary.end.then(stop);
  await primary.send({ kind: 'listening', addresses: service.addresses });
  service.watchStore((isReachable) => void primary.send({ kind: 'store', isReachable }));
  await primary.send({ kind: 'store', isReachable: service.reachesStore });
  await service.served;
  await primary.send({ kind: 'serving' });
}
