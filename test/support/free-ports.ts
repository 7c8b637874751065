// Free ports of this machine for servers that tests start.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Beside its port a node of a Redis Cluster listens on the one that is 10,000 higher. */
export const BUS_OFFSET = 10_000;
/** Below the ports that the system chooses for others: else one of them could take a free port before it is used. */
const [LEAST_PORT, MOST_PORT] = [12_000, 32_000];
const ATTEMPTS = 100;

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

/** A port such that no process listens on it, nor on those that are higher by the given numbers. */
async function freePortWith(...offsets: readonly number[]): Promise<number> {
  const places = MOST_PORT - LEAST_PORT - Math.max(0, ...offsets);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LEAST_PORT + Math.floor(Math.random() * places);
    const servers = await Promise.all([port, ...offsets.map((offset) => port + offset)].map(listen));
    const free = servers.every((server) => server !== undefined);
    await Promise.all(servers.map(close));
    if (free) return port;
  }
  throw new Error(`after ${ATTEMPTS} attempts no free port was found from ${LEAST_PORT} to ${MOST_PORT}`);
}

/** A port on which no process listens. */
export const freePort = (): Promise<number> => freePortWith();

/** A port such that the one of its bus is free, too. */
export const freePortWithBus = (): Promise<number> => freePortWith(BUS_OFFSET);
