// `latchkey dev`: service and gateway in one process. Creates missing keys and credentials, and prints sample commands.

import { resolve } from 'node:path';
import { readGatewaySettings } from '../../gateway/config.js';
import { createGateway } from '../../gateway/server.js';
import { generateKey, pemFiles } from '../adapters/jwt/key-files.js';
import { DataDirUnusable, makeDataDir } from '../adapters/lmdb/data-dir.js';
import { type Address, Environment, formatAddress } from '../platform/env.js';
import { findTracing } from '../platform/find-tracing.js';
import { createLogger } from '../platform/log.js';
import { standardStream } from '../platform/log-destination.js';
import { formatLastWords, logOutputTo } from '../platform/output/foreign-output.js';
import type { TlsFiles } from '../platform/tls/pem.js';
import { startService } from '../service/start-service.js';
import { DEV_DATA_DIR, issuerTokenFile, ownKeysFolder } from '../settings/mode.js';
import { readMonitoring } from '../settings/monitoring.js';
import { readServiceSettings, type ServiceSettings } from '../settings/service.js';
import type { ClientTls } from '../settings/tls.js';
import { issueToken } from './issue-token.js';
import { keptIssuerToken, makeIssuerToken } from './issuer-token.js';
import { isOnTerminal, lineFormat } from './line-format.js';
import { Probes, recordMetrics, serveMetrics } from './monitoring.js';
import { checkSettings, logWarnings } from './settings-warnings.js';
import { stopOnSignal } from './shutdown.js';
import { quotedForShell, welcome } from './welcome.js';

const SUBJECT = 'alice';

export async function dev(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const monitoring = readMonitoring(env, { isOnTerminal: isOnTerminal(2) });
  const { logLevel: level, metrics: metricsSettings } = monitoring;
  const format = lineFormat(monitoring.logFormat, 2, variables);
  formatLastWords(format);
  const asked = readServiceSettings(env, 'dev', Date.now());
  const dataDir = env.text('DATA_DIR') ?? DEV_DATA_DIR;
  const gatewaySettings = readGatewaySettings(env);
  const tls = gatewaySettings.authServiceTls;
  checkOwnCalls(env, asked.tls.files, tls);
  const credential = credentialForShell(env, asked, dataDir);
  env.forgetSecrets(variables);
  checkSettings(env);
  const settings = await withDevDefaults(asked, dataDir);
  // The printed text contains tokens. The log goes to standard error and contains none.
  const log = createLogger({ name: 'latchkey', level, destination: standardStream(2), format });
  logOutputTo(log);
  logWarnings(env, log);

  const metrics = await recordMetrics(metricsSettings);
  const metricsServer = metrics && metricsSettings && (await serveMetrics(metricsSettings, metrics, log));
  const probes = await Probes.start(settings.health, log);
  const observers = { meter: metrics, tracing: await findTracing() };
  const service = await startService(settings, log, observers);
  probes.follow(service);
  const [grpcAddress = settings.grpc, issuerAddress = grpcAddress] = service.addresses;
  const callable = {
    authServiceAddress: callableAddress(grpcAddress),
    issuerAddress: callableAddress(issuerAddress),
  };
  const gateway = createGateway({ ...gatewaySettings, ...callable }, log, observers);
  const stop = async (): Promise<void> => {
    probes.retire();
    await gateway.close();
    await service.stop();
  };
  try {
    const httpAddress = await gateway.listen();
    const target = { address: callableAddress(issuerAddress), setting: 'GRPC_ADDRESS', tls };
    const pair = await issueToken(target, settings.issuerToken, SUBJECT, undefined);
    const addresses = {
      grpc: formatAddress(callableAddress(grpcAddress)),
      issuer: formatAddress(callableAddress(issuerAddress)),
      http: formatAddress(callableAddress(httpAddress)),
      metrics: metricsServer && formatAddress(callableAddress(metricsServer.address)),
    };
    // Before the text that says it is ready: a reader of that may send the signal at once.
    stopOnSignal(log, stop);
    standardStream(1).write(welcome(SUBJECT, pair, addresses, { ...settings, credential, clientTls: tls }));
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Checks the TLS settings: the gateway and the first login call this process's own service like any other client. */
function checkOwnCalls(env: Environment, listens: TlsFiles | undefined, calls: ClientTls | undefined): void {
  const own = 'because `dev` calls its own service, which uses GRPC_TLS_CERT';
  if (listens && !calls) env.fault('AUTH_SERVICE_TLS_CA', 'nothing', `the CA of GRPC_TLS_CERT, ${own}`);
  if (listens?.ca !== undefined && calls?.files.cert === undefined) {
    const wanted = `a certificate that GRPC_TLS_CLIENT_CA accepts, ${own}`;
    env.fault('AUTH_SERVICE_TLS_CERT and AUTH_SERVICE_TLS_KEY', 'nothing', wanted);
  }
  if (calls && !listens) {
    env.fault('GRPC_TLS_CERT and GRPC_TLS_KEY', 'neither', 'both, since AUTH_SERVICE_TLS variables are set');
  }
}

/** The issuer credential as a shell expression: a variable, or the content of a file. */
function credentialForShell(env: Environment, { issuerToken }: ServiceSettings, dataDir: string): string {
  const file = env.fileOf('ISSUER_TOKEN') ?? (issuerToken ? undefined : issuerTokenFile(dataDir));
  // Absolute, so that the command works in any folder.
  return file === undefined ? '$ISSUER_TOKEN' : `$(cat ${quotedForShell(resolve(file))})`;
}

/**
 * Creates what the settings do not contain, keys and the issuer credential, and keeps it in the data folder.
 * @throws DataDirUnusable, KeyFileError, IssuerTokenUnusable
 */
async function withDevDefaults(settings: ServiceSettings, dataDir: string): Promise<ServiceSettings> {
  makeDataDir(dataDir);
  try {
    return await makeMissing(settings, dataDir);
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? new DataDirUnusable(dataDir, error) : error;
  }
}

async function makeMissing(settings: ServiceSettings, dataDir: string): Promise<ServiceSettings> {
  const { secret, folder } = settings.keys;
  const ownFolder = ownKeysFolder(dataDir);
  const needsKey = !secret && folder === undefined;
  if (needsKey && (await pemFiles(ownFolder)).length === 0) generateKey(ownFolder, 'dev');
  return {
    ...settings,
    keys: needsKey ? { ...settings.keys, folder: ownFolder } : settings.keys,
    issuerToken: settings.issuerToken ?? keptIssuerToken(dataDir) ?? makeIssuerToken(dataDir),
  };
}

/** The address for a call: loopback for a listener on all interfaces. */
function callableAddress(address: Address): Address {
  if (address.host === '0.0.0.0') return { ...address, host: '127.0.0.1' };
  return address.host === '::' ? { ...address, host: '::1' } : address;
}
