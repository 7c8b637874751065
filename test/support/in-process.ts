// A service and a gateway in the test's own process, with their settings, ports and store: for tests of what they answer.
// A process of its own takes 0.4 s of processor time to start.

import { readGatewaySettings } from '../../gateway/config.js';
import { createGateway } from '../../gateway/server.js';
import { checkSettings } from '../../src/commands/settings-warnings.js';
import { Environment } from '../../src/platform/env.js';
import { createLogger, type Logger } from '../../src/platform/log.js';
import { startService } from '../../src/service/start-service.js';
import { readMonitoring } from '../../src/settings/monitoring.js';
import { readServiceSettings } from '../../src/settings/service.js';
import { ISSUER_TOKEN, type Running } from './processes.js';

type Env = Readonly<Record<string, string>>;

interface Log {
  readonly log: Logger;
  readonly written: readonly string[];
}

function logOf(name: string, env: Environment): Log {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  return { log: createLogger({ name, level: readMonitoring(env).logLevel, destination }), written };
}

function running(address: string, written: readonly string[], close: () => Promise<void>): Running {
  const stop = async (): Promise<number> => {
    await close();
    return 0;
  };
  return {
    address,
    output: () => written.join(''),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    stop,
    kill: async () => void (await stop()),
  };
}

/** Starts what `latchkey serve` would, on a port that the system chooses. */
export async function serveInProcess(variables: Env): Promise<Running> {
  const env = new Environment({ GRPC_ADDRESS: '127.0.0.1:0', ISSUER_TOKEN, ...variables });
  const settings = readServiceSettings(env, 'serve', Date.now());
  const { log, written } = logOf('latchkey', env);
  checkSettings(env);
  const service = await startService(settings, log);
  const [{ host, port } = { host: '', port: 0 }] = service.addresses;
  return running(`${host}:${port}`, written, () => service.stop());
}

/**
 * How long a gateway here waits for the service, ms. The service is often in the same process, whose first calls may
 * take long on a busy machine. Tests of the gateway's own limit start it in a process of its own.
 */
const CALL_MS = 10_000;

/** Starts what `latchkey gateway` would, in front of a service. */
export async function gatewayInProcess(service: string, variables: Env = {}): Promise<Running> {
  const env = new Environment({ HTTP_ADDRESS: '127.0.0.1:0', AUTH_SERVICE_ADDRESS: service, ...variables });
  const settings = readGatewaySettings(env);
  const { log, written } = logOf('latchkey-gateway', env);
  checkSettings(env);
  const gateway = createGateway({ ...settings, limits: { ...settings.limits, callMs: CALL_MS } }, log);
  const { host, port } = await gateway.listen();
  return running(`${host}:${port}`, written, () => gateway.close());
}
