// Tests that what docker-compose.yml runs does its work: the flags of Redis, and every health check.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { RedisStore } from '../../src/adapters/redis/redis-store.js';
import { startGateway, startServe } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { type Container, readCompose, SECRETS } from './compose.js';
import { ROOT } from './markdown.js';

/**
 * Runs a health check as the container would, from its folder.
 * @param args put before its own: the container's port is not the test's
 * @returns its exit code
 */
async function check(
  { healthcheck }: Container,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<number | null> {
  const [form, command = '', ...rest] = healthcheck.test;
  expect(form).to.equal('CMD');
  const options = { cwd: ROOT, env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' } as const;
  const [code] = await once(spawn(command, [...args, ...rest], options), 'exit');
  return code;
}

const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);

describe('what docker-compose.yml runs', function () {
  this.timeout(120_000);

  it('is an official Redis of a named version, which keeps its data in a volume', () => {
    const { services, volumes } = readCompose();
    const { redis } = services;
    expect(redis.image).to.match(/^redis:\d+\.\d+(\.\d+)?-alpine$/);
    const [volume = '', folder] = redis.volumes?.[0]?.split(':') ?? [];
    expect([volume in volumes, folder]).to.deep.equal([true, '/data']);
  });

  it('is a Redis that keeps every write, evicts nothing, and is admitted without a warning', async () => {
    const [program, ...flags] = readCompose().services.redis.command;
    expect(program).to.equal('redis-server');
    const server = await RedisServer.start(...flags);
    const warnings: string[] = [];
    const note = (_fields: unknown, message: string) => void warnings.push(message);
    const log = { info: () => {}, warn: note, error: note };
    const store = new RedisStore({ url: server.url, allowUnsafe: false, log });
    try {
      await store.opened();
      expect(warnings).to.deep.equal([]);
      const wanted = { appendonly: 'yes', appendfsync: 'always', save: '', 'maxmemory-policy': 'noeviction' };
      for (const [name, value] of Object.entries(wanted)) {
        expect(await server.raw.config('GET', name)).to.deep.equal([name, value]);
      }
    } finally {
      await store.close();
      await server.stop();
    }
  });

  it('is a Redis whose health check passes while it answers, and fails when it is gone', async () => {
    const { redis } = readCompose().services;
    const server = await RedisServer.start();
    try {
      expect(await check(redis, {}, '-p', `${server.port}`)).to.equal(0);
      await server.kill();
      expect(await check(redis, {}, '-p', `${server.port}`)).to.not.equal(0);
    } finally {
      await server.stop();
    }
  });

  it('are a service and a gateway whose health checks pass while they can serve, and fail when they cannot', async () => {
    const { service, gateway } = readCompose().services;
    const server = await RedisServer.start();
    const serve = await startServe({ env: { REDIS_URL: server.url, ...SECRETS } });
    const front = await startGateway(serve.address);
    const checks = () =>
      Promise.all([
        check(service, { GRPC_ADDRESS: `0.0.0.0:${portOf(serve.address)}` }),
        check(gateway, { HTTP_ADDRESS: `0.0.0.0:${portOf(front.address)}` }),
      ]);
    try {
      expect(await checks()).to.deep.equal([0, 0]);
      await server.kill();
      expect(await checks()).to.deep.equal([1, 1]);
      await Promise.all([serve.stop(), front.stop()]);
      expect(await checks()).to.deep.equal([1, 1]);
    } finally {
      await Promise.all([serve.kill(), front.kill(), server.stop()]);
    }
  });
});
