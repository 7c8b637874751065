// Owns how TLS is set up by environment variables, and who may go without: files that belong together, plain listeners.

import { BlockList, isIP } from 'node:net';
import { type Address, type Environment, formatAddress } from '../env.js';
import type { TlsFiles } from './pem.js';

/** How a client of the service speaks TLS. */
export interface ClientTls {
  /** Without a CA the roots that Node knows are believed. */
  readonly files: TlsFiles;
  /** The name that the service's certificate must be for; undefined: the host of its address. */
  readonly name: string | undefined;
}

/** How the gRPC listeners are protected. */
export interface ListenerTls {
  /** undefined: plain text. A CA in it asks every client for a certificate. */
  readonly files: TlsFiles | undefined;
  /** The variables whose listeners others can reach, in plain text; it was said that they may. */
  readonly exposed: readonly string[];
}

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether nobody but this machine reaches a listener on this host. Of names that is known of `localhost` alone. */
export function isLoopback(host: string): boolean {
  const family = host.includes('%') ? 0 : isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** @param listeners by the variables that name them */
export function readListenerTls(
  env: Environment,
  listeners: Readonly<Record<string, Address | undefined>>,
): ListenerTls {
  const files = readFiles(env, 'GRPC_TLS', 'CLIENT_CA');
  const insecure = env.flag('GRPC_INSECURE', false);
  const tls = files.cert !== undefined || files.key !== undefined;
  if (files.ca !== undefined && !tls) {
    env.fault('GRPC_TLS_CERT and GRPC_TLS_KEY', 'neither', 'both, since GRPC_TLS_CLIENT_CA is set');
  }
  if (tls || files.ca !== undefined) return { files, exposed: [] };
  const reachable = Object.entries(listeners).filter(([, address]) => address && !isLoopback(address.host));
  for (const [name, address] of insecure ? [] : reachable) {
    const found = `${address && formatAddress(address)} without TLS`;
    env.fault(name, found, 'GRPC_TLS_CERT and GRPC_TLS_KEY, a loopback address, or GRPC_INSECURE=true');
  }
  return { files: undefined, exposed: reachable.map(([name]) => name) };
}

/** How the gateway and the command line call the service; undefined: in plain text. */
export function readClientTls(env: Environment): ClientTls | undefined {
  const on = env.flag('AUTH_SERVICE_TLS', false);
  const files = readFiles(env, 'AUTH_SERVICE_TLS', 'CA');
  const name = env.text('AUTH_SERVICE_TLS_NAME');
  if (name !== undefined && !HOST_NAME.test(name) && isIP(name) === 0) {
    env.fault('AUTH_SERVICE_TLS_NAME', JSON.stringify(name), 'a name such as auth.internal, or an IP address');
  }
  if (on || files.ca !== undefined) return { files, name };
  if (files.cert !== undefined || files.key !== undefined || name !== undefined) {
    const wanted = "the CA of the service's certificate, or AUTH_SERVICE_TLS=true for the roots that Node knows";
    env.fault('AUTH_SERVICE_TLS_CA', 'nothing, beside other AUTH_SERVICE_TLS variables', wanted);
  }
  return undefined;
}

/** The files for Redis; undefined: none is named. @param url of Redis, if there is one */
export function readRedisTls(env: Environment, url: string | undefined): TlsFiles | undefined {
  const files = readFiles(env, 'REDIS_TLS', 'CA');
  if (Object.values(files).every((path) => path === undefined)) return undefined;
  if (!url?.startsWith('rediss')) {
    env.fault(
      'REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY',
      'some of them',
      'a REDIS_URL that begins with rediss://',
    );
  }
  return files;
}

function readFiles(env: Environment, prefix: string, caSuffix: string): TlsFiles {
  const [certName, keyName] = [`${prefix}_CERT`, `${prefix}_KEY`];
  const [cert, key, ca] = [env.text(certName), env.text(keyName), env.text(`${prefix}_${caSuffix}`)];
  if ((cert === undefined) !== (key === undefined)) {
    env.fault(`${certName} and ${keyName}`, `only ${cert === undefined ? keyName : certName}`, 'both of them or none');
  }
  return { cert, key, ca };
}
