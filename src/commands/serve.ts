// Owns `latchkey serve`: the gRPC service by itself, with nothing chosen by accident.

import { readLogLevel, readServiceSettings } from '../config.js';
import { Environment } from '../env.js';
import { MIN_ISSUER_TOKEN } from '../issuer-config.js';
import { createLogger } from '../log.js';
import { startService } from '../service.js';
import { untilSignalled } from './lifetime.js';

export async function serve(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const settings = readServiceSettings(env, 'serve', Date.now());
  const level = readLogLevel(env);
  env.forgetSecrets(variables);
  env.check();
  const log = createLogger({ name: 'latchkey', level });
  const { issuerToken, otherIssuerTokens, issuerClientNames } = settings;
  if (!issuerToken && otherIssuerTokens.length === 0 && issuerClientNames.length === 0) {
    const idle = settings.issuerAddress ? ', and nobody listens on ISSUER_ADDRESS' : '';
    log.warn({}, `ISSUER_TOKEN is unset or shorter than ${MIN_ISSUER_TOKEN} characters: IssuerService is off${idle}`);
  }
  const service = await startService(settings, log);
  untilSignalled(log, service.stop);
}
