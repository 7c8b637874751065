// `latchkey gateway`: the HTTP gateway by itself.

import { readGatewaySettings } from '../../gateway/config.js';
import { createGateway } from '../../gateway/server.js';
import { Environment } from '../platform/env.js';
import { findTracing } from '../platform/find-tracing.js';
import { createLogger } from '../platform/log.js';
import { formatLastWords, logOutputTo } from '../platform/output/foreign-output.js';
import { readMonitoring } from '../settings/monitoring.js';
import { lineFormat } from './line-format.js';
import { recordMetrics, serveMetrics } from './monitoring.js';
import { checkSettings, logWarnings } from './settings-warnings.js';
import { stopOnSignal } from './shutdown.js';

export async function gateway(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readGatewaySettings(env);
  const { logLevel: level, logFormat, metrics: metricsSettings } = readMonitoring(env);
  const format = lineFormat(logFormat, 1, variables);
  formatLastWords(format);
  env.forgetSecrets(variables);
  checkSettings(env);
  const log = createLogger({ name: 'latchkey-gateway', level, format });
  logOutputTo(log);
  logWarnings(env, log);
  const metrics = await recordMetrics(metricsSettings);
  if (metrics && metricsSettings) await serveMetrics(metricsSettings, metrics, log);
  const server = createGateway(settings, log, { meter: metrics, tracing: await findTracing() });
  const listening = server.listen();
  // Before the log line that says it listens: a reader of that may send the signal at once.
  stopOnSignal(log, async () => {
    await listening;
    await server.close();
  });
  await listening;
}
