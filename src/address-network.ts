// The network that an address belongs to, by which callers are counted.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpAddress = ReturnType<typeof ipaddr.process>;

/** An address without its zone; IPv4 that is mapped into IPv6 (RFC 4291, section 2.5.5) as IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIP(text) === 0) return undefined;
  const [address = ''] = text.split('%');
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

/**
 * The caller that an address belongs to: IPv4 by itself; IPv6 by its /64, since the network of one customer has at
 * least that many addresses.
 * @returns undefined if the text is not an address
 */
export function callerAt(address: string): string | undefined {
  const parsed = parseIp(address);
  if (parsed?.kind() !== 'ipv6') return parsed?.toString();
  const network = parsed.toNormalizedString().split(':').slice(0, 4);
  return `${network.join(':')}::/64`;
}
