// Tests of the gateway's settings: their defaults and their faults.

import { expect } from 'chai';
import { readGatewaySettings } from '../../gateway/config.js';
import { GATEWAY_LIMITS } from '../../gateway/limits/limits.js';
import { ConfigError, Environment } from '../../src/platform/env.js';
import { RunningGateway } from './running-gateway.js';

describe('gateway: settings', () => {
  it('listens on this machine alone and allows no origin by default', () => {
    const environment = new Environment({});
    expect(readGatewaySettings(environment)).to.deep.equal({
      httpAddress: { host: '127.0.0.1', port: 8080 },
      authServiceAddress: { host: '127.0.0.1', port: 50051 },
      issuerAddress: undefined,
      authServiceTls: undefined,
      check: { maxStalenessMs: 0, identityHeaders: ['latchkey'] },
      cors: { origins: [], headers: [], credentials: false },
      paths: { refresh: ['/api/auth/token/refresh'], logout: ['/api/auth/logout'] },
      refreshCookie: undefined,
      oauth: undefined,
      rateLimit: undefined,
      trustProxy: [],
      limits: GATEWAY_LIMITS,
    });
    environment.check();
    const tls = ['', '_CERT', '_KEY', '_CA', '_NAME'].map((part) => `AUTH_SERVICE_TLS${part}`);
    const asked = [
      'HTTP_ADDRESS',
      'AUTH_SERVICE_ADDRESS',
      'RATE_LIMIT',
      'TRUST_PROXY',
      'REFRESH_PATHS',
      'LOGOUT_PATHS',
      'CHECK_MAX_STALENESS',
      'CHECK_HEADERS',
      'REFRESH_COOKIE',
      ...['OAUTH_CLIENTS', 'OAUTH_BASE_URL', 'JWT_ISSUER', 'ISSUER_ADDRESS', 'REVOKER_TOKEN', 'REVOKER_TOKEN_FILE'],
    ];
    const cors = ['CORS_ORIGINS', 'CORS_HEADERS', 'CORS_CREDENTIALS'];
    const connections = ['HTTP_MAX_CONNECTIONS', 'HTTP_MAX_CONNECTIONS_PER_ADDRESS'];
    expect([...environment.asked.keys()]).to.have.members([...asked, ...cors, ...connections, ...tls]);
  });

  it('takes exact origins, those of apps too', () => {
    const origins = ['https://app.example.com', 'http://localhost:3000', 'http://[::1]:3000', 'capacitor://localhost'];
    const environment = new Environment({ CORS_ORIGINS: origins.join(' , ') });
    expect(readGatewaySettings(environment).cors.origins).to.deep.equal(origins);
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

  it('takes names of headers in any case, and credentials', () => {
    const environment = new Environment({ CORS_HEADERS: 'X-App-Version, x_tenant!', CORS_CREDENTIALS: 'true' });
    const { cors } = readGatewaySettings(environment);
    expect(cors).to.deep.equal({ origins: [], headers: ['x-app-version', 'x_tenant!'], credentials: true });
    environment.check();
  });

  for (const name of ['*', 'x app', 'x-app:', 'x-äpp', '"x-app"']) {
    it(`refuses the header ${name}`, () => {
      const environment = new Environment({ CORS_HEADERS: `x-good,${name}` });
      readGatewaySettings(environment);
      const found = `CORS_HEADERS: found ${JSON.stringify(name)}, wanted names of headers`;
      expect(() => environment.check()).to.throw(ConfigError, found);
    });
  }

  it('takes the paths of simplejwt and djoser, with and without the trailing slash', () => {
    const environment = new Environment({
      REFRESH_PATHS: '/api/token/refresh/ , /auth/jwt/refresh, /api/auth/token/refresh/',
      LOGOUT_PATHS: '/api/token/blacklist/',
    });
    expect(readGatewaySettings(environment).paths).to.deep.equal({
      refresh: ['/api/token/refresh', '/auth/jwt/refresh', '/api/auth/token/refresh'],
      logout: ['/api/token/blacklist'],
    });
    environment.check();
  });

  const letters = 'a path of letters, digits and';
  for (const [path, wanted] of [
    ['api/token/refresh', 'a path that begins with a slash, such as /refresh'],
    ['https://app.example.com/refresh/', 'a path that begins with a slash, such as /refresh'],
    ['/', letters],
    ['//refresh', letters],
    ['/refresh//', letters],
    ['/:token', letters],
    ['/api/*', letters],
    ['/refresh(.*)', letters],
    ['/refresh?a=b', letters],
    ['/refresh#a', letters],
    ['/re%66resh', letters],
    ['/re fresh', letters],
    ['/rafraîchir', letters],
    ['/api/../refresh', 'a path without the segments . and ..'],
    ['/api/.', 'a path without the segments . and ..'],
    [`/${'x'.repeat(200)}`, 'a path of at most 200 characters'],
    ['/healthz/', 'another path: the gateway has a probe there'],
    ['/readyz', 'another path: the gateway has a probe there'],
    ['/.well-known/jwks.json', 'another path: /.well-known is for'],
    ['/api/auth/check', 'another path: proxies ask the gateway there'],
    ['/api/auth/check/x/', 'another path: proxies ask the gateway there'],
    ['/oauth2/introspect', 'another path: /oauth2 is for OAuth clients'],
    ['/api/auth/revocations', 'another path: the gateway streams revocations there'],
  ] as const) {
    for (const name of ['REFRESH_PATHS', 'LOGOUT_PATHS']) {
      it(`refuses ${path.slice(0, 40)} in ${name}`, () => {
        const environment = new Environment({ [name]: `/good/,${path}` });
        readGatewaySettings(environment);
        const found = `${name}: found ${JSON.stringify(path)}, wanted ${wanted}`;
        expect(() => environment.check()).to.throw(ConfigError, found);
      });
    }
  }

  for (const [variables, name, other] of [
    [{ REFRESH_PATHS: '/a/,/b,/a' }, 'REFRESH_PATHS', 'REFRESH_PATHS'],
    [{ REFRESH_PATHS: '/b,/a', LOGOUT_PATHS: '/a' }, 'LOGOUT_PATHS', 'REFRESH_PATHS'],
    [{ REFRESH_PATHS: '/b', LOGOUT_PATHS: '/a/,/a' }, 'LOGOUT_PATHS', 'LOGOUT_PATHS'],
  ] as const) {
    it(`refuses a path twice, with or without its slash: ${JSON.stringify(variables)}`, () => {
      const environment = new Environment(variables);
      readGatewaySettings(environment);
      const found = `${name}: found "/a", wanted another path: ${other} has this one already`;
      expect(() => environment.check()).to.throw(ConfigError, found);
    });
  }

  it('refuses a list without a path', () => {
    const environment = new Environment({ LOGOUT_PATHS: ' , ' });
    readGatewaySettings(environment);
    expect(() => environment.check()).to.throw(ConfigError, 'LOGOUT_PATHS: found no path, wanted at least one');
  });

  it('takes the kinds of the refresh cookie, and lets pages send the header that asks for it', () => {
    for (const kind of ['true', 'host', 'localhost'] as const) {
      const environment = new Environment({ REFRESH_COOKIE: kind, CORS_HEADERS: 'x-a' });
      const { refreshCookie, cors } = readGatewaySettings(environment);
      expect([refreshCookie, cors.headers]).to.deep.equal([kind, ['x-latchkey-mode', 'x-a']]);
      environment.check();
      expect(environment.warnings).to.have.length(kind === 'localhost' ? 1 : 0);
    }
    const wrong = new Environment({ REFRESH_COOKIE: 'yes' });
    readGatewaySettings(wrong);
    expect(() => wrong.check()).to.throw(ConfigError, 'REFRESH_COOKIE: found "yes", wanted false or true or host or');
  });

  for (const [name, value, fault] of [
    ['REFRESH_PATHS', '/api/token/refresh/', 'found no /api/auth/token/refresh/, wanted that path too, because'],
    ['LOGOUT_PATHS', '/logout', 'found no /api/auth/logout/, wanted that path too, because'],
    ['LOGOUT_PATHS', '/api/auth/logout,/api/auth/session/', 'found /api/auth/session/, wanted another path'],
  ] as const) {
    it(`refuses ${name}=${value} beside the refresh cookie`, () => {
      const environment = new Environment({ REFRESH_COOKIE: 'true', [name]: value });
      readGatewaySettings(environment);
      expect(() => environment.check()).to.throw(ConfigError, `${name}: ${fault}`);
      const without = new Environment({ [name]: value });
      readGatewaySettings(without);
      without.check();
    });
  }

  it('takes limits of connections', () => {
    const environment = new Environment({ HTTP_MAX_CONNECTIONS: '10000', HTTP_MAX_CONNECTIONS_PER_ADDRESS: '64' });
    expect(readGatewaySettings(environment).limits).to.include({ connections: 10_000, connectionsPerAddress: 64 });
    environment.check();
    for (const name of ['HTTP_MAX_CONNECTIONS', 'HTTP_MAX_CONNECTIONS_PER_ADDRESS']) {
      const wrong = new Environment({ [name]: '0' });
      readGatewaySettings(wrong);
      expect(() => wrong.check()).to.throw(ConfigError, `${name}: found "0", wanted a whole number from 1 to`);
    }
  });

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

  it('takes addresses and blocks of proxies', async () => {
    const proxies = [
      '127.0.0.1',
      '10.0.0.0/8',
      '::1',
      '2001:db8::/32',
      '::ffff:192.0.2.1',
      '::ffff:10.0.0.0/104',
      'fe80::1%eth0',
      '192.0.2.1/32',
    ];
    const environment = new Environment({ TRUST_PROXY: proxies.join(' , ') });
    expect(readGatewaySettings(environment).trustProxy).to.deep.equal(proxies);
    environment.check();
    const gateway = await RunningGateway.start({ variables: { TRUST_PROXY: proxies.join() } });
    await gateway.stop();
  });

  const noProxies = ['1', 'true', 'loopback', 'proxy.example', '0.0.0.0/0', '::/0', '10.0.0.0/33', '::1/129', '10/8'];
  for (const proxy of [
    ...noProxies,
    '::ffff:10.0.0.0/96',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '[::1]',
    '0x7f.1',
  ]) {
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
