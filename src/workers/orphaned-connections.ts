// Closes the connections that were handed to a worker and not accepted when it ended.
//
// Node's scheduler hands a connection to a worker, keeps it open until the worker has answered, and forgets it if the
// worker ends before that: the client would wait for ever. There is no public access to these connections, so this
// module watches the scheduler's messages. If their format changes, it finds nothing, and closes nothing by mistake.

import type { Worker } from 'node:cluster';

/** A connection as Node hands it over. */
interface Handle {
  close(): void;
}

/** When the worker ends, closes the connections that it had not accepted, so that their clients connect again. */
export function closeOrphanedConnections({ process }: Worker): void {
  // A worker that could not be started has no channel.
  if (!process.connected) return;
  const underWay = new Map<unknown, Handle>();
  const send = process.send.bind(process) as (...args: readonly unknown[]) => boolean;
  process.send = (...args: readonly unknown[]): boolean => {
    const [message, handle] = args;
    if (isHandle(handle)) underWay.set(numberIn(message, 'seq'), handle);
    return send(...args);
  };
  process.on('internalMessage', (message: unknown) => underWay.delete(numberIn(message, 'ack')));
  process.once('exit', () => {
    for (const handle of underWay.values()) handle.close();
  });
}

const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';

const numberIn = (message: unknown, field: string): unknown =>
  typeof message === 'object' && message !== null ? (message as Record<string, unknown>)[field] : undefined;
