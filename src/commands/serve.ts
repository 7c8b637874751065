// Owns `latchkey serve`: the gRPC service by itself, with nothing chosen by accident.

import { MIN_ISSUER_TOKEN, readLogLevel, readServiceSettings } from '../config.js';
import { Environment } from '../env.js';
import { createLogger } from '../log.js';
import { startService } from '../service.js';
import { untilSignalled } from './lifetime.js';

export async function serve(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readServiceSettings(env, 'serve', Date.now());
  const level = readLogLevel(env);
  env.check();
  const log = createLogger({ name: 'latchkey', level });
  if (!settings.issuerToken) {
    log.warn({}, `ISSUER_TOKEN is unset or shorter than ${MIN_ISSUER_TOKEN} characters: IssuerService is off`);
  }
  if (settings.policy.foreignSinceMs !== undefined) {
    log.warn({}, 'SESSIONS_SINCE is set: take it out once every shard has its birth record, that is after this start');
  }
  const service = await startService(settings, log);
  untilSignalled(log, service.stop);
}
