// The key by which callers are counted: an IPv4 address, or an IPv6 /64 network.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpAddress = ReturnType<typeof ipaddr.process>;

/** Parses an address without its zone. An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5) becomes IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIP(text) === 0) return undefined;
  const [address = ''] = text.split('%');
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

/**
 * The caller of an address: an IPv4 address itself, or the /64 network of an IPv6 address, because one customer usually
 * has at least a /64.
 * @returns undefined if the text is not an address
 */
export function callerAt(address: string): string | undefined {
  const parsed = parseIp(address);
  if (parsed?.kind() !== 'ipv6') return parsed?.toString();
  const network = parsed.toNormalizedString().split(':').slice(0, 4);
  return `${network.join(':')}::/64`;
}
