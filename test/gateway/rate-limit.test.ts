// Owns the proof of rate limits: who is one client, what is counted, what is told, and that memory stays bounded.

import { expect } from 'chai';
import { clientAt } from '../../gateway/client-address.js';
import { RateCounter } from '../../gateway/rate-limit.js';
import { type Answered, LOGOUT, ORIGIN, REFRESH, RunningGateway } from './running-gateway.js';

describe('gateway: clients', () => {
  const same: readonly [title: string, addresses: readonly string[], client: string | undefined][] = [
    ['IPv4 by itself', ['192.0.2.7'], '192.0.2.7'],
    [
      'IPv4 that is mapped into IPv6 as IPv4',
      ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7'],
      '192.0.2.7',
    ],
    [
      'IPv6 by its /64',
      ['2001:db8:0:7::1', '2001:DB8:0:7:ffff::', '2001:0db8:0000:0007:1:2:3:4', '2001:db8:0:7::192.0.2.7'],
      '2001:db8:0:7::/64',
    ],
    ['IPv6 whose first groups are zero', ['::1', '::', '0:0:0:0:1::', '::192.0.2.7'], '0:0:0:0::/64'],
    ['IPv6 of a link, whatever its zone', ['fe80::1', 'fe80::2%eth0'], 'fe80:0:0:0::/64'],
    ['IPv6 of 8 groups', ['1:2:3:4:5:6:7:8', '1:2:3:4::'], '1:2:3:4::/64'],
    [
      'nothing else',
      ['', 'unknown', '192.0.2.7:80', '[::1]', '_hidden', '1.2.3', '::1::', 'x'.repeat(9_999)],
      undefined,
    ],
  ];
  for (const [title, addresses, client] of same) {
    it(`counts ${title}`, () => {
      for (const address of addresses) expect(clientAt(address), address).to.equal(client);
    });
  }
});

describe('gateway: counts', () => {
  let nowMs: number;
  const counter = (requests: number, mostClients?: number) =>
    new RateCounter({ requests, windowMs: 10_000 }, () => nowMs, mostClients);
  beforeEach(() => {
    nowMs = 5_000;
  });

  it('allows so many a window, and tells what is left and until when', () => {
    const counts = counter(2);
    expect(counts.count('a')).to.deep.equal({ allowed: true, remaining: 1, resetSeconds: 10 });
    nowMs += 1;
    expect(counts.count('a')).to.deep.equal({ allowed: true, remaining: 0, resetSeconds: 10 });
    nowMs += 9_000;
    expect(counts.count('a')).to.deep.equal({ allowed: false, remaining: 0, resetSeconds: 1 });
    expect(counts.count('b')).to.deep.equal({ allowed: true, remaining: 1, resetSeconds: 1 });
    nowMs += 998;
    expect(counts.count('a').allowed).to.equal(false);
    nowMs += 1;
    expect(counts.count('a')).to.deep.equal({ allowed: true, remaining: 1, resetSeconds: 10 });
  });

  it('holds as many clients as it may, however many come', () => {
    const counts = counter(1_000, 100);
    for (let n = 0; n < 10_000; n++) counts.count(`2001:db8:${n.toString(16)}:0::/64`);
    expect(counts.size).to.equal(100);
  });

  it('forgets nobody who has asked more than the flood did on the average', () => {
    const counts = counter(50, 100);
    for (let n = 0; n < 50; n++) counts.count('victim');
    // 4,000 requests on 99 places: at the most 41 of them on each.
    for (let n = 0; n < 4_000; n++) counts.count(`flood ${n}`);
    expect(counts.count('victim').allowed).to.equal(false);
  });

  it('counts nobody too low, and nobody higher than by the share of the flood', () => {
    const counts = counter(1_000, 10);
    const sent = new Map<string, number>();
    for (let n = 0; n < 2_000; n++) {
      // A few send often, many once.
      const client = n % 3 === 0 ? `often ${n % 5}` : `once ${n}`;
      const truth = (sent.get(client) ?? 0) + 1;
      sent.set(client, truth);
      const counted = 1_000 - counts.count(client).remaining;
      expect(counted).to.be.at.least(truth);
      expect(counted).to.be.at.most(truth + n / 10);
    }
  });

  it('lets newcomers in again with the next window, whatever the flood', () => {
    const counts = counter(2, 10);
    for (let n = 0; n < 100; n++) counts.count(`flood ${n}`);
    expect(counts.count('newcomer').allowed).to.equal(false);
    nowMs += 10_000;
    expect(counts.count('newcomer')).to.include({ allowed: true, remaining: 1 });
    expect(counts.size).to.equal(1);
  });
});

describe('gateway: rate limits', () => {
  let nowMs: number;
  let gateway: RunningGateway;
  const start = async (trustProxy: readonly string[] = []) => {
    gateway = await RunningGateway.start({
      rateLimit: { requests: 2, windowMs: 10_000 },
      trustProxy,
      nowMs: () => nowMs,
    });
  };
  beforeEach(() => {
    nowMs = 1_000;
  });
  afterEach(() => gateway.stop());

  const from = (address: string): Promise<Answered> =>
    gateway.post(REFRESH, { refresh: 'r' }, { 'x-forwarded-for': address });
  const limits = ({ headers }: Answered) => [headers.get('ratelimit'), headers.get('ratelimit-policy')];

  it('answers 429 as djangorestframework does, with the time to try again, and calls nobody', async () => {
    await start();
    const first = await gateway.post(REFRESH, { refresh: 'r' });
    expect([first.status, ...limits(first)]).to.deep.equal([200, '"default";r=1;t=10', '"default";q=2;w=10']);
    nowMs += 5_000;
    const second = await gateway.post(LOGOUT, {});
    expect([second.status, ...limits(second)]).to.deep.equal([400, '"default";r=0;t=5', '"default";q=2;w=10']);

    gateway.service.reset();
    const third = await gateway.post(REFRESH, { refresh: 'r' }, { origin: ORIGIN });
    expect([third.status, ...limits(third)]).to.deep.equal([429, '"default";r=0;t=5', '"default";q=2;w=10']);
    expect(third.text).to.equal('{"detail":"Request was throttled. Expected available in 5 seconds."}');
    expect(third.headers.get('retry-after')).to.equal('5');
    expect(third.headers.get('cache-control')).to.equal('no-store');
    expect(third.headers.get('content-type')).to.equal('application/json');
    expect(third.headers.get('access-control-allow-origin')).to.equal(ORIGIN);
    expect(third.headers.get('access-control-expose-headers')).to.contain('RateLimit, RateLimit-Policy');
    expect(gateway.service.calls).to.be.empty;

    nowMs += 4_999;
    const last = await gateway.post(REFRESH, { refresh: 'r' });
    expect(last.text).to.equal('{"detail":"Request was throttled. Expected available in 1 second."}');
    nowMs += 1;
    expect((await gateway.post(REFRESH, { refresh: 'r' })).status).to.equal(200);
  });

  it('does so before it reads the body', async () => {
    await start();
    await gateway.ask('/');
    await gateway.ask('/');
    const head = `POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`;
    const socket = await gateway.connect();
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.write(head);
    expect(await answer).to.match(/^HTTP\/1\.1 429 /);
    socket.destroy();
  });

  it('counts whatever is asked, but for probes and preflights', async () => {
    await start();
    for (let n = 0; n < 5; n++) {
      const asked = [await gateway.ask('/healthz'), await gateway.ask('/readyz/'), await gateway.ask('/%68ealthz')];
      for (const origin of [ORIGIN, 'https://evil.example']) {
        const headers = { origin, 'access-control-request-method': 'POST' };
        asked.push(await gateway.ask(REFRESH, { method: 'OPTIONS', headers }));
      }
      expect(asked.map(({ status }) => status)).to.deep.equal([200, 200, 200, 204, 204]);
      for (const answer of asked) expect(limits(answer)).to.deep.equal([null, null]);
    }
    for (const [path, init] of [
      ['/nowhere', {}],
      ['/%zz', {}],
      [REFRESH, { method: 'GET' }],
      [REFRESH, { method: 'OPTIONS' }],
      [LOGOUT, { method: 'POST', body: 'x'.repeat(20_000) }],
    ] as const) {
      nowMs += 10_000;
      const statuses = [];
      for (let n = 0; n < 3; n++) statuses.push((await gateway.ask(path, init)).status);
      expect(statuses.indexOf(429), path).to.equal(2);
    }
  });

  it('counts who asks for the public keys, and has nobody keep the answer that it was too often', async () => {
    await start();
    const path = '/.well-known/jwks.json';
    gateway.service.keySet = { keys: [], maxAgeSeconds: 60 };
    const first = await gateway.ask(path);
    const etag = first.headers.get('etag') ?? '';
    expect([first.status, ...limits(first)]).to.deep.equal([200, '"default";r=1;t=10', '"default";q=2;w=10']);
    const second = await gateway.ask(path, { headers: { 'if-none-match': etag } });
    expect([second.status, ...limits(second)]).to.deep.equal([304, '"default";r=0;t=10', '"default";q=2;w=10']);
    for (const { headers } of [first, second]) {
      expect([headers.get('cache-control'), headers.get('etag')]).to.deep.equal(['public, max-age=60', etag]);
    }
    gateway.service.reset();
    const third = await gateway.ask(path, { headers: { 'if-none-match': etag } });
    expect([third.status, ...limits(third)]).to.deep.equal([429, '"default";r=0;t=10', '"default";q=2;w=10']);
    expect([third.headers.get('cache-control'), third.headers.get('etag')]).to.deep.equal(['no-store', null]);
    expect(gateway.service.calls).to.be.empty;
  });

  it('says in the log who was throttled, and leaves the token out', async () => {
    await start();
    await gateway.ask('/');
    await gateway.ask('/');
    const before = gateway.log.length;
    await gateway.post(`${REFRESH}?secret`, { refresh: 'secret' });
    const [line] = await gateway.logged(before, '/api/auth/token/refresh');
    expect(line).to.include({ level: 'info', status: 429, throttled: '127.0.0.1' });
    expect(JSON.stringify(line)).not.to.contain('secret');
  });

  it('takes no word for an address, unless a proxy is trusted', async () => {
    await start(['192.0.2.1']);
    const statuses = [];
    for (const address of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) statuses.push((await from(address)).status);
    expect(statuses).to.deep.equal([200, 200, 429]);
  });

  it('takes the word of a trusted proxy, and of no client before it', async () => {
    await start(['127.0.0.0/8', '2001:db8::/32']);
    const statuses = [];
    for (const address of [
      '198.51.100.1',
      // What a client has put there itself comes first; the proxies add at the end.
      '203.0.113.9, 198.51.100.1, 2001:db8::7',
      '203.0.113.10, 198.51.100.1, 2001:db8::7, 127.0.0.9',
      '198.51.100.2',
    ]) {
      statuses.push((await from(address)).status);
    }
    expect(statuses).to.deep.equal([200, 200, 429, 200]);
  });

  it('counts an IPv6 client by its network, and what is no address for the proxy', async () => {
    await start(['127.0.0.1']);
    const statuses = [];
    for (const address of ['2001:db8:7:7::1', '2001:db8:7:7:ff::2', '2001:db8:7:7::3', '2001:db8:7:8::1']) {
      statuses.push((await from(address)).status);
    }
    for (const text of ['unknown', 'x'.repeat(9_000), '198.51.100.1:80']) statuses.push((await from(text)).status);
    expect(statuses).to.deep.equal([200, 200, 429, 200, 200, 200, 429]);
  });

  it('is off unless it is set', async () => {
    gateway = await RunningGateway.start();
    for (let n = 0; n < 5; n++) expect(limits(await gateway.ask('/'))).to.deep.equal([null, null]);
  });
});
