// Tests of rate limits: what is counted, what the headers say, and that memory stays bounded.

import { expect } from 'chai';
import { RateCounter } from '../../gateway/limits/rate-limit.js';
import { type Answered, LOGOUT, ORIGIN, REFRESH, RunningGateway } from './running-gateway.js';

describe('gateway: counts', () => {
  let nowMs: number;
  const counter = (requests: number, mostClients?: number) =>
    new RateCounter({ requests, windowMs: 10_000 }, () => nowMs, mostClients);
  beforeEach(() => {
    nowMs = 5_000;
  });

  it('allows a number in a window, and says what is left and until when', () => {
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

  it('forgets no client that has asked more than the flood did on the average', () => {
    const counts = counter(50, 100);
    for (let n = 0; n < 50; n++) counts.count('victim');
    // 4,000 requests on 99 places: at the most 41 of them on each.
    for (let n = 0; n < 4_000; n++) counts.count(`flood ${n}`);
    expect(counts.count('victim').allowed).to.equal(false);
  });

  it('counts no client too low, and none higher than by the share of the flood', () => {
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
      variables: { RATE_LIMIT: '2/10s', TRUST_PROXY: trustProxy.join() },
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

  it('answers 429 as djangorestframework does, with the time to try again, and does not call the service', async () => {
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

  it('counts who asks for the public keys, and lets no cache keep the answer that it was too often', async () => {
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
    for (const text of ['unknown', 'x'.repeat(9_000), '[2001:db8::1']) statuses.push((await from(text)).status);
    expect(statuses).to.deep.equal([200, 200, 429, 200, 200, 200, 429]);
  });

  it('counts an entry for its client in every form that proxies write', async () => {
    await start(['127.0.0.1', '10.0.0.0/8']);
    for (const forms of [
      ['203.0.113.7:5000', '203.0.113.7', '::ffff:203.0.113.7', '"203.0.113.7:443"', '203.0.113.7:1, 10.0.0.9:8080'],
      [
        '[2001:db8::1]:443',
        '"[2001:db8::2]"',
        '[2001:db8::3]',
        '2001:db8::4',
        '\t [2001:db8::5]:1 , [::ffff:10.0.0.9]:80',
      ],
    ]) {
      const statuses = [];
      for (const form of forms) statuses.push((await from(form)).status);
      expect(statuses, forms.join(' | ')).to.deep.equal([200, 200, 429, 429, 429]);
    }
    // None of them counted for the proxy.
    expect((await from('')).status).to.equal(200);
  });

  it('is off unless it is set', async () => {
    gateway = await RunningGateway.start();
    for (let n = 0; n < 5; n++) expect(limits(await gateway.ask('/'))).to.deep.equal([null, null]);
  });
});
