// The retry policy that the docs give to clients, used by one.

import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { elapse, until } from '../support/waiting.js';
import { serviceConfig } from './service-config.js';

const MAX_CALLS = 5;
/** Longer than a call may wait for a place, so that it is refused. */
const REFUSED_MS = 300;

interface ServiceConfig {
  readonly methodConfig: readonly { readonly retryPolicy: { readonly retryableStatusCodes: readonly string[] } }[];
}

describe('the retry policy for gRPC clients', () => {
  let scene: GrpcScene;
  let client: TestClient | undefined;
  beforeEach(async () => {
    scene = await GrpcScene.start({ maxConcurrentCalls: MAX_CALLS });
  });
  afterEach(async () => {
    client?.close();
    await scene.stop();
  });

  it('names the two statuses of a call that was refused or could not be carried out', () => {
    const { methodConfig } = JSON.parse(serviceConfig()) as ServiceConfig;
    const codes = methodConfig.map(({ retryPolicy }) => retryPolicy.retryableStatusCodes);
    expect(codes).to.deep.equal([['UNAVAILABLE', 'RESOURCE_EXHAUSTED']]);
  });

  it('gets the answer of a call that was refused at first', async () => {
    const { accessToken } = await scene.client.issue();
    client = new TestClient(scene.address, credentials.createInsecure(), { 'grpc.service_config': serviceConfig() });
    expect(await client.verdict(accessToken)).to.equal('active');
    scene.flowing = false;
    const taken = Array.from({ length: MAX_CALLS }, () => scene.client.verdict(accessToken));
    await until(() => scene.world.pending.length >= MAX_CALLS);
    const retried = client.verdict(accessToken);
    const refused = scene.client.verdict(accessToken).catch(({ message }: Error) => message);
    expect(await refused).to.match(/RESOURCE_EXHAUSTED/);
    await elapse(REFUSED_MS, 'calls are refused for this long');
    scene.flowing = true;
    expect(await retried).to.equal('active');
    await Promise.all(taken);
  });
});
