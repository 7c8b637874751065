// Owns `latchkey dev`: service and gateway in one process, with whatever is missing made on the spot, and lines to paste.

import { mkdirSync } from 'node:fs';
import { readGatewaySettings } from '../../gateway/config.js';
import { createGateway } from '../../gateway/server.js';
import { generateKey, pemFiles } from '../adapters/jwt/key-files.js';
import { DEV_DATA_DIR, ownKeysFolder, readLogLevel, readServiceSettings, type ServiceSettings } from '../config.js';
import { type Address, Environment, formatAddress } from '../env.js';
import { createLogger, descriptor } from '../log.js';
import { startService } from '../service.js';
import { issueToken } from './issuer-client.js';
import { keptIssuerToken, makeIssuerToken } from './issuer-token.js';
import { untilSignalled } from './lifetime.js';
import { welcome } from './welcome.js';

const SUBJECT = 'alice';

export async function dev(variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment(variables);
  const asked = readServiceSettings(env, 'dev', Date.now());
  const dataDir = env.text('DATA_DIR') ?? DEV_DATA_DIR;
  const gatewaySettings = readGatewaySettings(env);
  const level = readLogLevel(env);
  env.check();
  const settings = await complete(asked, dataDir);
  // What is printed is for eyes and holds tokens; the log goes another way and never does.
  const log = createLogger({ name: 'latchkey', level, destination: descriptor(2) });

  const service = await startService(settings, log);
  const [grpcAddress = settings.grpc, issuerAddress = grpcAddress] = service.addresses;
  const gateway = createGateway({ ...gatewaySettings, authServiceAddress: reachable(grpcAddress) }, log);
  const stop = async (): Promise<void> => {
    await gateway.close();
    await service.stop();
  };
  try {
    const httpAddress = await gateway.listen();
    const pair = await issueToken(reachable(issuerAddress), settings.issuerToken, SUBJECT, undefined, 'GRPC_ADDRESS');
    const addresses = {
      grpc: formatAddress(reachable(grpcAddress)),
      issuer: formatAddress(reachable(issuerAddress)),
      http: formatAddress(reachable(httpAddress)),
    };
    process.stdout.write(welcome(SUBJECT, pair, addresses, settings));
  } catch (error) {
    await stop();
    throw error;
  }
  untilSignalled(log, stop);
}

/** Makes what the settings do not name: keys and the issuer's credential, kept in the data folder. */
async function complete(settings: ServiceSettings, dataDir: string): Promise<ServiceSettings> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
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

/** An address to call: a listener on all interfaces is called on loopback. */
function reachable(address: Address): Address {
  if (address.host === '0.0.0.0') return { ...address, host: '127.0.0.1' };
  return address.host === '::' ? { ...address, host: '::1' } : address;
}
