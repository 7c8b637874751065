// Tests of the TLS settings: which belong together, and that no port takes plain text from other machines by accident.

import { expect } from 'chai';
import { ConfigError, Environment } from '../../src/platform/env.js';
import { readServiceSettings } from '../../src/settings/service.js';
import { isLoopback, readClientTls } from '../../src/settings/tls.js';

const GOOD = { JWT_SECRET: 's'.repeat(32), DATA_DIR: 'data' };
const FILES = { GRPC_TLS_CERT: 'tls.crt', GRPC_TLS_KEY: 'tls.key' };
const OPEN = ['0.0.0.0:1', '[::]:1', '192.0.2.1:1', '[fe80::1%lo]:1', '[::ffff:192.0.2.1]:1', 'auth.internal:1'];
const ODD = ['127.example.com:1', '127.1:1', 'localhost.example:1', '0:1', '2130706433:1'];
const LOOPBACK = ['127.0.0.1:1', '127.255.0.9:1', '[::1]:1', '[0:0:0:0:0:0:0:1]:1', 'localhost:1', 'LocalHost:1'];

function faultsOf(read: (env: Environment) => unknown, variables: Record<string, string>): readonly string[] {
  const env = new Environment(variables);
  read(env);
  try {
    env.check();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the settings of TLS', () => {
  const serve = (env: Environment) => readServiceSettings(env, 'serve', Date.now());
  const faults = (variables: Record<string, string>) => faultsOf(serve, { ...GOOD, ...variables });
  const read = (variables: Record<string, string>) => serve(new Environment({ ...GOOD, ...variables })).tls;

  it('refuse a plain listener that others can reach, by number and by name, for both addresses and both commands', () => {
    for (const address of [...OPEN, ...ODD]) {
      for (const name of ['GRPC_ADDRESS', 'ISSUER_ADDRESS']) {
        for (const mode of ['serve', 'dev'] as const) {
          const found = faultsOf((env) => readServiceSettings(env, mode, 0), { ...GOOD, [name]: address });
          expect(found, address).to.have.length(1);
          expect(found[0]).to.include(`${name}: found `).and.include('without TLS').and.include('GRPC_INSECURE=true');
        }
      }
    }
  });

  it('take a plain listener on loopback, and elsewhere with GRPC_INSECURE=true or with TLS', () => {
    for (const address of LOOPBACK)
      expect(faults({ GRPC_ADDRESS: address, ISSUER_ADDRESS: address }), address).to.eql([]);
    for (const address of OPEN) {
      const open = { GRPC_ADDRESS: address, ISSUER_ADDRESS: '127.0.0.1:2' };
      expect(read({ ...open, GRPC_INSECURE: 'true' }).exposed).to.deep.equal(['GRPC_ADDRESS']);
      expect(faults({ ...open, GRPC_INSECURE: 'true' })).to.deep.equal([]);
      expect(faults({ ...open, GRPC_INSECURE: 'false' })).to.have.length(1);
      expect(faults({ ...open, ...FILES })).to.deep.equal([]);
      expect(read({ ...open, ...FILES, GRPC_INSECURE: 'true' }).exposed).to.deep.equal([]);
    }
    expect(isLoopback('::1%lo')).to.equal(false);
  });

  it('need a certificate and its key, and both for a CA of clients', () => {
    for (const [name, path] of Object.entries(FILES)) {
      expect(faults({ [name]: path })).to.deep.equal([
        `GRPC_TLS_CERT and GRPC_TLS_KEY: found only ${name}, wanted both of them or none`,
      ]);
    }
    const [fault = '', ...others] = faults({ GRPC_TLS_CLIENT_CA: 'ca.crt' });
    expect(others).to.deep.equal([]);
    expect(fault).to.include('neither').and.include('GRPC_TLS_CLIENT_CA');
    expect(read({ ...FILES, GRPC_TLS_CLIENT_CA: 'ca.crt' }).files).to.deep.equal({
      ...{ cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt' },
    });
  });

  it('of Redis need rediss://', () => {
    const { DATA_DIR: _, ...rest } = GOOD;
    const of = (variables: Record<string, string>) => faultsOf(serve, { ...rest, ...variables });
    for (const name of ['REDIS_TLS_CA', 'REDIS_TLS_CERT']) {
      const both = name === 'REDIS_TLS_CERT' ? { REDIS_TLS_KEY: 'x' } : {};
      const [fault = '', ...others] = of({ REDIS_URL: 'redis://:sesame@h', [name]: 'x', ...both });
      expect(others).to.deep.equal([]);
      expect(fault).to.include('REDIS_TLS').and.include('rediss://').and.not.include('sesame');
      expect(of({ REDIS_URL: 'rediss://h', [name]: 'x', ...both })).to.deep.equal([]);
    }
    expect(faults({ REDIS_TLS_CA: 'x' })).to.have.length(1);
    expect(of({ REDIS_URL: 'rediss://h', REDIS_TLS_KEY: 'x' })).to.have.length(1);
  });

  it('of a client: a CA turns TLS on, everything else needs it', () => {
    const client = (variables: Record<string, string>) => faultsOf(readClientTls, variables);
    const pair = { AUTH_SERVICE_TLS_CERT: 'a', AUTH_SERVICE_TLS_KEY: 'b' };
    expect(readClientTls(new Environment({}))).to.equal(undefined);
    expect(readClientTls(new Environment({ AUTH_SERVICE_TLS: 'true' }))?.files.ca).to.equal(undefined);
    expect(readClientTls(new Environment({ AUTH_SERVICE_TLS_CA: 'ca.crt' }))?.files.ca).to.equal('ca.crt');
    expect(client(pair)).to.have.length(1);
    expect(client({ AUTH_SERVICE_TLS_NAME: 'auth.internal' })).to.have.length(1);
    expect(client({ ...pair, AUTH_SERVICE_TLS: 'true', AUTH_SERVICE_TLS_NAME: 'auth.internal' })).to.deep.equal([]);
    expect(client({ AUTH_SERVICE_TLS: 'true', AUTH_SERVICE_TLS_KEY: 'b' })).to.have.length(1);
    for (const name of ['https://auth.internal', 'auth.internal:443', '*.internal', 'a b', '-a']) {
      expect(client({ AUTH_SERVICE_TLS: 'true', AUTH_SERVICE_TLS_NAME: name }), name).to.have.length(1);
    }
    for (const name of ['10.0.0.1', '::1']) {
      expect(client({ AUTH_SERVICE_TLS: 'true', AUTH_SERVICE_TLS_NAME: name }), name).to.deep.equal([]);
    }
  });
});
