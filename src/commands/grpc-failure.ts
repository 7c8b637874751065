// Calls of the command line to the service: the options of the channel, and clear texts for failed calls.

import { type ChannelCredentials, type ChannelOptions, type ServiceError, status } from '@grpc/grpc-js';
import { type Address, formatAddress } from '../platform/env.js';
import { channelCredentials } from '../platform/tls/channel.js';
import { explainClosed } from '../platform/tls/failure.js';
import { readTls } from '../platform/tls/pem.js';
import type { ClientTls } from '../settings/tls.js';

/** `http_proxy` in the environment must not divert these calls. */
export const DIRECT: ChannelOptions = { 'grpc.enable_http_proxy': 0 };

/**
 * The beginnings of the library's texts if it never had a connection. The service itself may answer UNAVAILABLE, too.
 */
const NEVER_REACHED = /^(No connection established|Name resolution failed|No addresses resolved)/;

/** The server that a command calls. */
export interface Target {
  readonly address: Address;
  /** The variable with the address. */
  readonly setting: string;
  /** Undefined: plain text. */
  readonly tls: ClientTls | undefined;
}

/** @throws TlsFileError */
export function credentialsFor({ address, tls }: Target): ChannelCredentials {
  const material = tls && readTls(tls.files);
  return channelCredentials(material && { name: tls.name ?? address.host, material: () => material });
}

/** A call failed. The message is for the user. */
export class CallFailed extends Error {
  readonly code = 'CALL_FAILED';
  override readonly name = 'CallFailed';
}

/** The text for the user about a failed call. */
export function describeFailure(error: unknown, { address, setting, tls }: Target): string {
  if (!isServiceError(error)) return error instanceof Error ? error.message : String(error);
  // Drops the library's internal notes.
  const details = explainClosed(error.details, tls !== undefined).replace(/\.? ?Resolution note:.*$/s, '');
  if (error.code !== status.UNAVAILABLE || !NEVER_REACHED.test(details)) return `${status[error.code]}: ${details}`;
  const reason = details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '');
  // The server exists: only our own texts about TLS begin like this.
  if (/^its? /.test(reason)) {
    return `the service at ${formatAddress(address)} cannot be called: ${reason}; check the AUTH_SERVICE_TLS settings`;
  }
  return `no service can be reached at ${formatAddress(address)}: ${reason}; start it, or set ${setting}`;
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
