// Owns which addresses are one client, and which texts name the proxies whose word on addresses is taken.

import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

/**
 * Who sends from an address: IPv4, also mapped into IPv6 (RFC 4291, section 2.5.5.2), by itself; IPv6 by its /64, since
 * every network of one customer has at least that many to choose from.
 * @returns undefined for what is no address
 */
export function clientAt(address: string): string | undefined {
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const [bare = ''] = address.split('%');
  const { address: canonical } = new SocketAddress({ address: bare, family: 'ipv6' });
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical) ?? [];
  return mapped ?? `${groupsOf(canonical).slice(0, 4).join(':')}::/64`;
}

/** The groups of an address; where two are written as an IPv4 address, which is at the end alone, as one. */
function groupsOf(canonical: string): readonly string[] {
  const [before = [], after] = canonical.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  if (after === undefined) return before;
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
}

/** Whether a text is an address or a CIDR block; one of length 0 would be everybody. */
export function isAddressOrBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits);
}
