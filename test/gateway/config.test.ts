// Owns the proof of the gateway's settings: their defaults and their faults.

import { expect } from 'chai';
import { GATEWAY_LIMITS, readGatewaySettings } from '../../gateway/config.js';
import { ConfigError, Environment } from '../../src/env.js';
import { RunningGateway } from './running-gateway.js';

describe('gateway: settings', () => {
  it('listens on this machine alone and allows no origin by default', () => {
    const environment = new Environment({});
    expect(readGatewaySettings(environment)).to.deep.equal({
      httpAddress: { host: '127.0.0.1', port: 8080 },
      authServiceAddress: { host: '127.0.0.1', port: 50051 },
      authServiceTls: undefined,
      corsOrigins: [],
      rateLimit: undefined,
      trustProxy: [],
      limits: GATEWAY_LIMITS,
    });
    environment.check();
    const tls = ['', '_CERT', '_KEY', '_CA', '_NAME'].map((part) => `AUTH_SERVICE_TLS${part}`);
    const asked = ['HTTP_ADDRESS', 'AUTH_SERVICE_ADDRESS', 'CORS_ORIGINS', 'RATE_LIMIT', 'TRUST_PROXY', ...tls];
    expect([...environment.asked.keys()]).to.have.members(asked);
  });

  it('takes exact origins, those of apps too', () => {
    const origins = ['https://app.example.com', 'http://localhost:3000', 'http://[::1]:3000', 'capacitor://localhost'];
    const environment = new Environment({ CORS_ORIGINS: origins.join(' , ') });
    expect(readGatewaySettings(environment).corsOrigins).to.deep.equal(origins);
    environment.check();
  });

  const wrong = ['*', 'null', 'app.example.com', 'https://app.example.com/', 'https://App.example.com'];
  for (const origin of [
    ...wrong,
    'https://*.example.com/x',
    'https://app.example.com:443',
    'https://u@app.example.com',
  ]) {
    it(`refuses the origin ${origin}`, () => {
      const environment = new Environment({ CORS_ORIGINS: `https://good.example,${origin}` });
      readGatewaySettings(environment);
      expect(() => environment.check()).to.throw(ConfigError, `CORS_ORIGINS: found "${origin}", wanted `);
    });
  }

  for (const [text, requests, windowMs] of [
    ['100/10s', 100, 10_000],
    ['1/1000ms', 1, 1_000],
    ['1000000/1d', 1_000_000, 86_400_000],
  ] as const) {
    it(`takes the rate limit ${text}`, () => {
      const environment = new Environment({ RATE_LIMIT: text });
      expect(readGatewaySettings(environment).rateLimit).to.deep.equal({ requests, windowMs });
      environment.check();
    });
  }

  for (const text of [
    '100',
    '100/',
    '/10s',
    '100/10',
    '0/10s',
    '-1/10s',
    '1000001/1s',
    '9/2d',
    '9/1500ms',
    '9/0s',
    '9/s',
    '9 / 1s',
  ]) {
    it(`refuses the rate limit ${text}`, () => {
      const environment = new Environment({ RATE_LIMIT: text });
      readGatewaySettings(environment);
      expect(() => environment.check()).to.throw(
        ConfigError,
        `RATE_LIMIT: found "${text}", wanted requests a window such`,
      );
    });
  }

  it('takes addresses and blocks of proxies, as the library that goes by them does', async () => {
    const proxies = [
      '127.0.0.1',
      '10.0.0.0/8',
      '::1',
      '2001:db8::/32',
      '::ffff:192.0.2.1',
      'fe80::1%eth0',
      '192.0.2.1/32',
    ];
    const environment = new Environment({ TRUST_PROXY: proxies.join(' , ') });
    expect(readGatewaySettings(environment).trustProxy).to.deep.equal(proxies);
    environment.check();
    const gateway = await RunningGateway.start({ trustProxy: proxies });
    await gateway.stop();
  });

  const noProxies = ['1', 'true', 'loopback', 'proxy.example', '0.0.0.0/0', '::/0', '10.0.0.0/33', '::1/129', '10/8'];
  for (const proxy of [...noProxies, '10.0.0.0/255.0.0.0', '10.0.0.0/8/8', '10.0.0.0/', '[::1]', '0x7f.1']) {
    it(`refuses to trust the proxy ${proxy}`, () => {
      const environment = new Environment({ TRUST_PROXY: `127.0.0.1,${proxy}` });
      readGatewaySettings(environment);
      expect(() => environment.check()).to.throw(
        ConfigError,
        `TRUST_PROXY: found "${proxy}", wanted addresses or CIDR`,
      );
    });
  }

  it('refuses to call port 0', () => {
    const environment = new Environment({ AUTH_SERVICE_ADDRESS: 'auth:0', HTTP_ADDRESS: '[::]:0' });
    expect(readGatewaySettings(environment).httpAddress).to.deep.equal({ host: '::', port: 0 });
    expect(() => environment.check()).to.throw(
      ConfigError,
      /^1 wrong setting:\n {2}AUTH_SERVICE_ADDRESS: found port 0/,
    );
  });
});
