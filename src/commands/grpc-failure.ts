// Owns how a failed call of the service is told to the user of the command line, and the channel such calls go by.

import { type ChannelOptions, type ServiceError, status } from '@grpc/grpc-js';
import { type Address, formatAddress } from '../env.js';

/** What calls a service by its address must not be diverted by `http_proxy` in the environment. */
export const DIRECT: ChannelOptions = { 'grpc.enable_http_proxy': 0 };

/** How the library begins what it says of a connection that it never had; the service says UNAVAILABLE otherwise. */
const NEVER_REACHED = /^(No connection established|Name resolution failed|No addresses resolved)/;

/** A call failed. The message is for people. */
export class CallFailed extends Error {
  readonly code = 'CALL_FAILED';
  override readonly name = 'CallFailed';
}

/** @param setting the variable that says where the service is */
export function describeFailure(error: unknown, address: Address, setting: string): string {
  if (!isServiceError(error)) return error instanceof Error ? error.message : String(error);
  // What follows are the library's notes to itself, mostly none.
  const details = error.details.replace(/\.? ?Resolution note:.*$/s, '');
  if (error.code !== status.UNAVAILABLE || !NEVER_REACHED.test(details)) return `${status[error.code]}: ${details}`;
  const reason = details.replace(/^No connection established\. Last error: (?:Error: )?/, '');
  return `no service can be reached at ${formatAddress(address)}: ${reason}; start it, or set ${setting}`;
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
