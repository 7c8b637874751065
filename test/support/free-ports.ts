// Free ports of this machine for servers that tests start.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Beside its port a node of a Redis Cluster listens on the one that is 10,000 higher. */
export const BUS_OFFSET = 10_000;

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  const failed = once(server, 'error').catch(() => {});
  server.listen(port, '127.0.0.1');
  await Promise.race([once(server, 'listening').catch(() => {}), failed]);
  return server.listening ? server : undefined;
}

async function close(server: Server | undefined): Promise<void> {
  if (!server) return;
  server.close();
  await once(server, 'close');
}

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
};

/** A port on which no process listens. */
export async function freePort(): Promise<number> {
  const server = await listen(0);
  if (!server) throw new Error('the system gave no port');
  const port = portOf(server);
  await close(server);
  return port;
}

/** A port such that the one of its bus is free, too. */
export async function freePortWithBus(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    // Below those that the system gives to clients, which would take the bus's in between.
    const port = 12_000 + Math.floor(Math.random() * 10_000);
    const servers = [await listen(port), await listen(port + BUS_OFFSET)];
    const free = servers.every((server) => server !== undefined);
    await Promise.all(servers.map(close));
    if (free) return port;
  }
  throw new Error('there are no two free ports for a node of a cluster');
}
