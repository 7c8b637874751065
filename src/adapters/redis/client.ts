// Owns how the driver is set up: one client is one connection, which is never mended, and queues and repeats nothing.

import { Redis, type RedisOptions } from 'ioredis';

/**
 * Makes the way to make clients, which are not connected yet.
 * @throws Error if the URL cannot be used; its text holds nothing of the URL, for there may be a password in it
 */
export function clientMaker(url: string, connectTimeoutMs: number): () => Redis {
  // To the letter: the driver would speak plainly to `REDISS://`.
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error('the URL of Redis must start with redis:// or rediss://');
  }
  const { pathname, searchParams } = new URL(url);
  // It would take a path that is no number for database 0.
  if (!/^(\/\d{0,5})?$/.test(pathname)) throw new Error('the path of the URL of Redis must be a database number');
  // It takes any parameter for one of its options, before ours: one could switch its queue on again.
  for (const name of searchParams.keys()) {
    if (name !== 'family') throw new Error('the URL of Redis may have no parameter but family');
  }
  const options = {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: 'latchkey',
    // A polite end waits for the other side, which may be paused; and the driver waits even for one that is gone.
    disconnectTimeout: 0,
    // One that was lost is replaced, by us, after the server was looked at anew.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    // We look at more than it does, and within a time bound.
    enableReadyCheck: false,
    disableClientInfo: true,
    // The newer protocol brings us nothing, and costs old servers and proxies a failed greeting.
    protocol: 2,
  } as const satisfies RedisOptions;
  const model = new Redis(url, options);
  return () => model.duplicate();
}

/** Connects and signs in. */
export async function connect(client: Redis): Promise<void> {
  let failure: unknown;
  // The driver tells the cause by an event, not by the promise. It also carries on in database 0 where the one that
  // was asked for does not exist, and says so by the event alone.
  const note = (error: unknown) => {
    failure ??= error;
  };
  client.on('error', note);
  try {
    await client.connect();
  } catch (error) {
    throw failure ?? error;
  }
  if (failure !== undefined) throw failure;
}
