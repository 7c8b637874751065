// Owns the proof of the gateway's settings: their defaults and their faults.

import { expect } from 'chai';
import { GATEWAY_LIMITS, readGatewaySettings } from '../../gateway/config.js';
import { ConfigError, Environment } from '../../src/env.js';

describe('gateway: settings', () => {
  it('listens on this machine alone and allows no origin by default', () => {
    const environment = new Environment({});
    expect(readGatewaySettings(environment)).to.deep.equal({
      httpAddress: { host: '127.0.0.1', port: 8080 },
      authServiceAddress: { host: '127.0.0.1', port: 50051 },
      corsOrigins: [],
      limits: GATEWAY_LIMITS,
    });
    environment.check();
    expect([...environment.asked.keys()]).to.deep.equal(['HTTP_ADDRESS', 'AUTH_SERVICE_ADDRESS', 'CORS_ORIGINS']);
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

  it('refuses to call port 0', () => {
    const environment = new Environment({ AUTH_SERVICE_ADDRESS: 'auth:0', HTTP_ADDRESS: '[::]:0' });
    expect(readGatewaySettings(environment).httpAddress).to.deep.equal({ host: '::', port: 0 });
    expect(() => environment.check()).to.throw(
      ConfigError,
      /^1 wrong setting:\n {2}AUTH_SERVICE_ADDRESS: found port 0/,
    );
  });
});
