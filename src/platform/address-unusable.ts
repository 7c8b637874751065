// The error for an address on which the process cannot listen. It names the variable and the remedy.

import { type Address, formatAddress } from './env.js';

/** The causes by system error code, each with its remedy. */
const REASONS: readonly (readonly [code: string, reason: string])[] = [
  ['EADDRINUSE', 'another process listens there; end that process, or set another address'],
  ['EADDRNOTAVAIL', 'this machine does not have that address; set one that it has, or 0.0.0.0 for all of them'],
  ['EACCES', 'this user may not listen on that port; set a port of 1024 or above'],
  ['ENOTFOUND', 'that name has no address; set one that it has, or an IP address'],
];

/** The process cannot listen on an address. */
export class AddressUnusable extends Error {
  readonly code = 'ADDRESS_UNUSABLE';
  override readonly name = 'AddressUnusable';

  /** @param variable the setting that holds the address */
  constructor(variable: string, address: Address, cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const [code, reason] = REASONS.find(([name]) => text.includes(name)) ?? [];
    const why = code === undefined ? text : `${reason} (${code})`;
    super(`${variable}: cannot listen on ${formatAddress(address)}: ${why}`, { cause });
  }
}
