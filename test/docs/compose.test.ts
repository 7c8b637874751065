// Tests that docker-compose.yml fits the code: settings, secrets, ports, rights.

import { expect } from 'chai';
import { readGatewaySettings } from '../../gateway/config.js';
import { Environment } from '../../src/platform/env.js';
import { readMonitoring } from '../../src/settings/monitoring.js';
import { readServiceSettings } from '../../src/settings/service.js';
import { type Compose, type Container, environmentOf, readCompose, SECRETS } from './compose.js';

describe('docker-compose.yml', () => {
  let compose: Compose;
  let redis: Container;
  let service: Container;
  let gateway: Container;

  before(() => {
    compose = readCompose();
    ({ redis, service, gateway } = compose.services);
  });

  it('sets only what its process reads, and what it sets is right', () => {
    const forService = new Environment(environmentOf(service, SECRETS));
    readServiceSettings(forService, 'serve', Date.now());
    const forGateway = new Environment(environmentOf(gateway));
    readGatewaySettings(forGateway);
    for (const env of [forService, forGateway]) {
      readMonitoring(env);
      env.check();
    }
    expect(service.command).to.deep.equal(['serve']);
    expect(gateway.command).to.deep.equal(['gateway']);
    expect([...forService.asked.keys()]).to.include.members(Object.keys(service.environment ?? {}));
    expect([...forGateway.asked.keys()]).to.include.members(Object.keys(gateway.environment ?? {}));
  });

  it('starts an issuer, on a port of its own', () => {
    const { issuerToken, issuerAddress, grpc } = readServiceSettings(
      new Environment(environmentOf(service, SECRETS)),
      'serve',
      Date.now(),
    );
    expect(issuerToken?.reveal()).to.equal(SECRETS.ISSUER_TOKEN);
    expect(issuerAddress?.port).to.not.equal(grpc.port);
  });

  it('has no secret, not even by default: without one it does not start', () => {
    for (const name of Object.keys(SECRETS)) {
      expect(service.environment?.[name]).to.match(new RegExp(`^\\$\\{${name}:\\?[^}]+\\}$`));
      expect(() => environmentOf(service, { ...SECRETS, [name]: '' })).to.throw(name);
    }
    expect(Object.keys(gateway.environment ?? {}).filter((name) => /SECRET|TOKEN|KEY/.test(name))).to.deep.equal([]);
  });

  it('lets each container reach the one that it calls', () => {
    const { REDIS_URL = '' } = environmentOf(service, SECRETS);
    const shares = (one: Container, other: Container) => one.networks.some((name) => other.networks.includes(name));
    expect(new URL(REDIS_URL).hostname).to.equal('redis');
    expect(shares(service, redis) && shares(gateway, service)).to.equal(true);
    const grpcPort = service.environment?.['GRPC_ADDRESS']?.split(':').pop();
    expect(gateway.environment?.['AUTH_SERVICE_ADDRESS']).to.equal(`service:${grpcPort}`);
  });

  it('opens ports to this machine alone, and Redis to the service alone', () => {
    expect(redis.ports).to.equal(undefined);
    expect(redis.networks.filter((name) => compose.networks[name]?.internal !== true)).to.deep.equal([]);
    expect(gateway.networks.filter((name) => redis.networks.includes(name))).to.deep.equal([]);
    const listening = [service, gateway].flatMap(({ environment = {} }) =>
      ['GRPC_ADDRESS', 'ISSUER_ADDRESS', 'HTTP_ADDRESS'].flatMap((name) => environment[name]?.split(':').pop() ?? []),
    );
    const published = [...(service.ports ?? []), ...(gateway.ports ?? [])];
    expect(published).to.deep.equal(listening.map((port) => `127.0.0.1:${port}:${port}`));
  });

  it('gives every container as few rights as it can', () => {
    for (const [name, container] of Object.entries(compose.services)) {
      expect(container.read_only, name).to.equal(true);
      expect(container.cap_drop, name).to.deep.equal(['ALL']);
      expect(container.security_opt, name).to.deep.equal(['no-new-privileges:true']);
      expect(container.privileged, name).to.equal(undefined);
    }
    // The entrypoint of the image starts as root and steps down, which needs rights that are dropped.
    expect(redis.user).to.equal('redis');
  });

  it('waits until what is called is healthy', () => {
    expect(service.depends_on).to.deep.equal({ redis: { condition: 'service_healthy' } });
    expect(gateway.depends_on).to.deep.equal({ service: { condition: 'service_healthy' } });
  });
});
