// `latchkey gateway`: the HTTP gateway by itself.

import { readGatewaySettings } from '../../gateway/config.js';
import { createGateway } from '../../gateway/server.js';
import { Environment } from '../platform/env.js';
import { createLogger } from '../platform/log.js';
import { logOutputTo } from '../platform/output/foreign-output.js';
import { readLogLevel } from '../settings/service.js';
import { checkSettings, logWarnings } from './settings-warnings.js';
import { stopOnSignal } from './shutdown.js';

export async function gateway(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readGatewaySettings(env);
  const level = readLogLevel(env);
  env.forgetSecrets(variables);
  checkSettings(env);
  const log = createLogger({ name: 'latchkey-gateway', level });
  logOutputTo(log);
  logWarnings(env, log);
  const server = createGateway(settings, log);
  const listening = server.listen();
  // Before the log line that says it listens: a reader of that may send the signal at once.
  stopOnSignal(log, async () => {
    await listening;
    await server.close();
  });
  await listening;
}
