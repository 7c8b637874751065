// Tests of client addresses: which count as one client, how proxies write them, and which one a request counts for.

import { expect } from 'chai';
import fc from 'fast-check';
import { clientAddressOf, parseForwardedEntry, trustedProxies } from '../../gateway/limits/client-address.js';
import { callerAt } from '../../src/platform/caller-network.js';

describe('gateway: clients', () => {
  const same: readonly [title: string, addresses: readonly string[], client: string | undefined][] = [
    ['IPv4 by itself', ['192.0.2.7'], '192.0.2.7'],
    [
      'IPv4 that is mapped into IPv6 as IPv4',
      ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7', '::ffff:192.0.2.7%eth0', '::192.0.2.7'],
      '192.0.2.7',
    ],
    [
      'IPv6 by its /64',
      ['2001:db8:0:7::1', '2001:DB8:0:7:ffff::', '2001:0db8:0000:0007:1:2:3:4', '2001:db8:0:7::192.0.2.7'],
      '2001:db8:0:7::/64',
    ],
    ['IPv6 whose first groups are zero', ['::1', '::', '0:0:0:0:1::'], '0:0:0:0::/64'],
    ['IPv6 of a link, whatever its zone', ['fe80::1', 'fe80::2%eth0', 'fe80::1%12'], 'fe80:0:0:0::/64'],
    ['IPv6 of 8 groups', ['1:2:3:4:5:6:7:8', '1:2:3:4::', '1:2:3:4:5:6:1.2.3.4'], '1:2:3:4::/64'],
    [
      'nothing else',
      ['', 'unknown', '192.0.2.7:80', '[::1]', '_hidden', '1.2.3', '::1::', '010.0.0.1', '0x7f.1', 'x'.repeat(9_999)],
      undefined,
    ],
  ];
  for (const [title, addresses, client] of same) {
    it(`counts ${title}`, () => {
      for (const address of addresses) expect(callerAt(address), address).to.equal(client);
    });
  }

  const entries: readonly [entry: string, address: string | undefined][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:5000', '203.0.113.7'],
    [' \t203.0.113.7 ', '203.0.113.7'],
    ['"203.0.113.7:5000"', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]"', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['[::ffff:203.0.113.7]:443', '::ffff:203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ...['', ' ', 'unknown', '_hidden', 'proxy.example', 'proxy.example:80', '203.0.113:80', '256.1.1.1:80', '""'].map(
      (entry): [string, undefined] => [entry, undefined],
    ),
    ...['203.0.113.7:', '203.0.113.7:x', '203.0.113.7:123456', '[203.0.113.7]', '[]', '[]:80', '[2001:db8::1'].map(
      (entry): [string, undefined] => [entry, undefined],
    ),
    ...['2001:db8::1]:443', '[2001:db8::1]443', '"203.0.113.7', '203.0.113.7 8080', '[::1]'.padEnd(81)].map(
      (entry): [string, undefined] => [entry, undefined],
    ),
  ];
  for (const [entry, address] of entries) {
    it(`takes the entry ${JSON.stringify(entry.slice(0, 30))} as ${address}`, () => {
      expect(parseForwardedEntry(entry)).to.equal(address);
    });
  }
});

describe('gateway: the source of a request', () => {
  const trusts = trustedProxies(['127.0.0.1', '10.0.0.0/8', '::ffff:172.16.0.0/108', 'fd00::/8', '2001:db8:ffff::1']);
  const cases: readonly [title: string, peer: string, header: string | undefined, source: string][] = [
    ['is the peer without a header', '198.51.100.1', undefined, '198.51.100.1'],
    ['is the peer that is no proxy, whatever it writes', '198.51.100.1', '203.0.113.7', '198.51.100.1'],
    ['is the proxy itself without a header', '10.0.0.1', undefined, '10.0.0.1'],
    ['is the proxy itself with an empty one', '10.0.0.1', ' , ,', '10.0.0.1'],
    ['is what the proxy has written', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['is the last that no proxy has', '10.0.0.1', '192.0.2.1, 203.0.113.7,10.0.0.2 , 10.0.0.3', '203.0.113.7'],
    ['passes over empty entries', '10.0.0.1', '203.0.113.7,, 10.0.0.2,', '203.0.113.7'],
    ['passes over proxies with ports', '10.0.0.1', '203.0.113.7:1, [fd00::1]:443, 10.0.0.2:80', '203.0.113.7'],
    ['passes over mapped proxies', '::ffff:10.0.0.1', '203.0.113.7, ::ffff:172.20.0.1', '203.0.113.7'],
    ['is the first proxy where all are proxies', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['is the proxy that wrote no address', '127.0.0.1', '203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['is the proxy before an entry that is too long', '127.0.0.1', `203.0.113.7, ${'x'.repeat(9_000)}`, '127.0.0.1'],
    ['does not take another address for a proxy', '2001:db8:ffff::2', '203.0.113.7', '2001:db8:ffff::2'],
    ['does not take IPv4 for IPv6', '127.0.0.1', '203.0.113.7, ::a00:1', '::a00:1'],
  ];
  for (const [title, peer, header, source] of cases) {
    it(title, () => expect(clientAddressOf(peer, header, trusts)).to.equal(source));
  }

  it('looks at no more than 32 proxies in a row', () => {
    const row = (proxies: number) => clientAddressOf('127.0.0.1', `203.0.113.7${', 10.0.0.1'.repeat(proxies)}`, trusts);
    expect([row(31), row(32), row(2_000)]).to.deep.equal(['203.0.113.7', '10.0.0.1', '10.0.0.1']);
  });

  it('is always an address that the peer or the header has, whatever is in the header', () => {
    const piece = fc.constantFrom(...'10.0.0.1 203.0.113.7 ::1 [fd00::1] , ,, : % " [ ] :80 unknown é \t'.split(' '));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const source = clientAddressOf('127.0.0.1', pieces.join(''), trusts);
        expect(callerAt(source), source).not.to.equal(undefined);
      }),
    );
  });

  it('refuses a proxy that is no address', () => {
    expect(() => trustedProxies(['proxy.example'])).to.throw(
      TypeError,
      'proxy.example is neither an address nor a CIDR block',
    );
  });
});
