// Owns how the driver is set up: one client is one connection, which is never mended, and queues and repeats nothing.

import { Redis, type RedisOptions } from 'ioredis';

/**
 * Makes the way to make clients, which are not connected yet.
 * @throws Error if the URL cannot be used; its text holds nothing of the URL, for there may be a password in it
 */
export function clientMaker(url: string, connectTimeoutMs: number): () => Redis {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'redis:' && parsed?.protocol !== 'rediss:') {
    throw new Error('the URL of Redis must start with redis:// or rediss://');
  }
  // The driver would take a path that is no number for database 0.
  if (!/^(\/\d{0,5})?$/.test(parsed.pathname))
    throw new Error('the path of the URL of Redis must be a database number');
  // It takes any parameter for one of its options, and prefers it to ours: one could switch its queues on again.
  for (const name of parsed.searchParams.keys()) {
    if (name !== 'family') throw new Error('the URL of Redis may have no parameter but family');
  }
  const options = {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: 'latchkey',
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

/** Ends a connection at once, whatever state it is in. Nothing of it keeps the process alive. */
export function sever(client: Redis): void {
  client.disconnect();
  // A polite end waits for the other side, which may be paused.
  const stream: Redis['stream'] | undefined = client.stream;
  stream?.destroy();
}
