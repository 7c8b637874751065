// The address of a client, also behind trusted proxies that send `X-Forwarded-For`.

import { isIP } from 'node:net';
import { type IpAddress, parseIp } from '../../src/platform/caller-network.js';

/** An IPv6 address has at most 45 characters. This leaves room for brackets, a port and a zone. */
const MOST_CHARACTERS = 80;
/** The most proxies in a row that are examined. A header of 16 KiB has room for thousands. */
const MOST_PROXIES = 32;

/** Whether an address belongs to a proxy whose `X-Forwarded-For` is trusted. */
export type IsTrustedProxy = (address: string) => boolean;

/**
 * The address in an entry of `X-Forwarded-For`, as proxies write it: `203.0.113.7`, `203.0.113.7:5000`, `2001:db8::1`,
 * `[2001:db8::1]`, `[2001:db8::1]:443`, each also in quotes.
 * @returns undefined if the entry is anything else
 */
export function parseForwardedEntry(entry: string): string | undefined {
  if (entry.length > MOST_CHARACTERS) return undefined;
  const text = entry.trim().replace(/^"([^"]*)"$/, '$1');
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text) ?? [];
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return undefined;
  const address = ipv6 ?? ipv4 ?? text;
  return isIP(address) === 0 ? undefined : address;
}

/** @param proxies addresses and CIDR blocks, each valid by `isAddressOrBlock` */
export function trustedProxies(proxies: readonly string[]): IsTrustedProxy {
  const blocks = proxies.map(parseBlock);
  return (text) => {
    const address = parseIp(text);
    return (
      address !== undefined &&
      blocks.some(([block, bits]) => block.kind() === address.kind() && address.match(block, bits))
    );
  };
}

function parseBlock(text: string): readonly [IpAddress, number] {
  const [address = '', prefix] = text.split('/');
  const parsed = parseIp(address);
  if (!parsed) throw new TypeError(`${text} is neither an address nor a CIDR block`);
  const bits = parsed.kind() === 'ipv4' ? 32 : 128;
  if (prefix === undefined) return [parsed, bits];
  // In a block of IPv4-mapped IPv6 addresses the first 96 bits are the mapping prefix, which IPv4 does not have.
  return [parsed, isIP(address) === 6 && bits === 32 ? Number(prefix) - 96 : Number(prefix)];
}

/**
 * The address of the client: the peer, or, if that is a trusted proxy, the last entry of `X-Forwarded-For` that is not
 * a trusted proxy. If an entry is not an address, the request counts for the proxy that wrote it.
 * @param peer the remote address of the connection
 */
export function clientAddressOf(
  peer: string,
  forwardedFor: string | undefined,
  isTrustedProxy: IsTrustedProxy,
): string {
  let source = peer;
  let end = forwardedFor?.length ?? 0;
  for (let proxies = 0; proxies < MOST_PROXIES && end > 0 && isTrustedProxy(source); proxies++) {
    const comma = forwardedFor?.lastIndexOf(',', end - 1) ?? -1;
    const entry = forwardedFor?.slice(comma + 1, end) ?? '';
    end = comma;
    // A list may have empty entries (RFC 9110, section 5.6.1).
    if (entry.trim() === '') continue;
    const address = parseForwardedEntry(entry);
    if (address === undefined) return source;
    source = address;
  }
  return source;
}

/** Whether a text is an address or a CIDR block. A prefix length of 0 is rejected: it would trust every address. */
export function isAddressOrBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const parsed = parseIp(address);
  if (!parsed || rest.length > 0) return false;
  if (prefix === undefined) return true;
  if (!/^[1-9]\d{0,2}$/.test(prefix)) return false;
  const [, bits] = parseBlock(text);
  return bits >= 1 && bits <= (parsed.kind() === 'ipv4' ? 32 : 128);
}
