// The settings of TLS: the files of each side, and which listeners may use plain text.

import { BlockList, isIP } from 'node:net';
import { type Address, type Environment, formatAddress } from '../platform/env.js';
import type { TlsFiles } from '../platform/tls/pem.js';

/** TLS of a client of the service. */
export interface ClientTls {
  /** Without a CA, Node's own roots apply. */
  readonly files: TlsFiles;
  /** The name that must be in the service's certificate; undefined: the host of its address. */
  readonly name: string | undefined;
}

/** TLS of the gRPC listeners. */
export interface ListenerTls {
  /** Undefined: plain text. With a CA, every client must have a certificate. */
  readonly files: TlsFiles | undefined;
  /** The variables of plain-text listeners that other machines can reach, allowed by GRPC_INSECURE. */
  readonly exposed: readonly string[];
}

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach a listener on this host. The only such name is `localhost`. */
export function isLoopback(host: string): boolean {
  const family = host.includes('%') ? 0 : isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** @param listeners the addresses by variable */
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
  const exposed = Object.entries(listeners).filter(([, address]) => address && !isLoopback(address.host));
  for (const [name, address] of insecure ? [] : exposed) {
    const found = `${address && formatAddress(address)} without TLS`;
    env.fault(name, found, 'GRPC_TLS_CERT and GRPC_TLS_KEY, a loopback address, or GRPC_INSECURE=true');
  }
  return { files: undefined, exposed: exposed.map(([name]) => name) };
}

/** TLS for calls of the gateway and of the command line to the service; undefined: plain text. */
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

/** The TLS files for Redis; undefined: none is set. @param url the URL of Redis, if it is set */
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
