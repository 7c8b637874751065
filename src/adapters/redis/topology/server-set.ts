// The servers that this process is connected to: connected when first needed, closed some time after the last need.

import type { UnsafeStore } from '../unsafe-store.js';
import type { Owners, ServerAddress } from './owners.js';
import { TAKEOVER_DELAY_MS } from './primary-lease.js';
import type { Server } from './server.js';

export class ServerSet {
  readonly #owners: Owners;
  readonly #make: (address: ServerAddress) => Server;
  readonly #servers = new Map<string, Server>();

  constructor(owners: Owners, make: (address: ServerAddress) => Server) {
    this.#owners = owners;
    this.#make = make;
  }

  /** A server by its id, connected if it is new; undefined: it is not part of the topology. */
  get(id: string): Server | undefined {
    const known = this.#servers.get(id);
    if (known) return known;
    const address = this.#owners.addressOf(id);
    if (!address) return undefined;
    const server = this.#make(address);
    this.#servers.set(id, server);
    return server;
  }

  /** Why one of the servers must not be used, if there is one. */
  get unsafe(): UnsafeStore | undefined {
    return [...this.#servers.values()].map(({ connection }) => connection.unsafe).find((each) => each);
  }

  /**
   * Closes the servers that have moved, or that nothing needs any more. A server may be needed again soon, so its
   * connection is kept for a while.
   * @param inUse the servers that own shards
   */
  closeUnneeded(inUse: ReadonlySet<Server>, nowMs: number): void {
    const { wanted } = this.#owners;
    for (const [id, server] of this.#servers) {
      const address = this.#owners.addressOf(id);
      const hasMoved = address !== undefined && address.url !== server.address.url;
      if (wanted.has(id) || inUse.has(server)) server.neededMs = nowMs;
      if (!hasMoved && nowMs - server.neededMs <= TAKEOVER_DELAY_MS) continue;
      this.#servers.delete(id);
      void server.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
  }
}
