// Owns how a failed call of the service is told to the user of the command line, and the channel such calls go by.

import { type ChannelCredentials, type ChannelOptions, type ServiceError, status } from '@grpc/grpc-js';
import { type Address, formatAddress } from '../platform/env.js';
import { channelCredentials } from '../platform/tls/channel.js';
import { explainClosed } from '../platform/tls/failure.js';
import { readTls } from '../platform/tls/pem.js';
import type { ClientTls } from '../settings/tls.js';

/** What calls a service by its address must not be diverted by `http_proxy` in the environment. */
export const DIRECT: ChannelOptions = { 'grpc.enable_http_proxy': 0 };

/** How the library begins what it says of a connection that it never had; the service says UNAVAILABLE otherwise. */
const NEVER_REACHED = /^(No connection established|Name resolution failed|No addresses resolved)/;

/** Whom a command calls. */
export interface Target {
  readonly address: Address;
  /** The variable that says where it is. */
  readonly setting: string;
  /** undefined: in plain text. */
  readonly tls: ClientTls | undefined;
}

/** @throws TlsFileError */
export function credentialsFor({ address, tls }: Target): ChannelCredentials {
  const material = tls && readTls(tls.files);
  return channelCredentials(material && { name: tls.name ?? address.host, material: () => material });
}

/** A call failed. The message is for people. */
export class CallFailed extends Error {
  readonly code = 'CALL_FAILED';
  override readonly name = 'CallFailed';
}

/** Says for people why a call failed. */
export function describeFailure(error: unknown, { address, setting, tls }: Target): string {
  if (!isServiceError(error)) return error instanceof Error ? error.message : String(error);
  // What follows are the library's notes to itself, mostly none.
  const details = explainClosed(error.details, tls !== undefined).replace(/\.? ?Resolution note:.*$/s, '');
  if (error.code !== status.UNAVAILABLE || !NEVER_REACHED.test(details)) return `${status[error.code]}: ${details}`;
  const reason = details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '');
  // Somebody is there: words that begin so are ours, for what TLS has found.
  if (/^its? /.test(reason)) {
    return `the service at ${formatAddress(address)} cannot be called: ${reason}; look at AUTH_SERVICE_TLS_CA and its like`;
  }
  return `no service can be reached at ${formatAddress(address)}: ${reason}; start it, or set ${setting}`;
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
