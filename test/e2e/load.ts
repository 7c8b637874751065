// The load that tests put on a service, by a process of its own.

import { LoadProcess } from '../../bench/load/load-process.js';
import type { ServiceNode } from './stage.js';

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Starts a process that calls a service over some connections. */
export async function loadOn({ process: { address } }: ServiceNode, connections: number): Promise<LoadProcess> {
  const [host = '', port] = address.split(':');
  return LoadProcess.start({ host, port: Number(port), connections, seed: 1 });
}
