// Owns what becomes of connections that are on their way to a worker which dies.
//
// Node's scheduler hands a connection over, keeps it open until the worker has answered, and forgets it if the worker
// never does: its caller would wait for ever. There is no public way to these connections, so the messages of the
// scheduler are watched. If they ever look otherwise, nothing is found, and nothing is closed that should not be.

import type { Worker } from 'node:cluster';

/** A connection, as Node hands it over. */
interface Handle {
  close(): void;
}

/** Closes, when the worker ends, the connections that it had not taken: their callers come again, to others. */
export function closeUntaken({ process }: Worker): void {
  // One that could not be started has no channel.
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
