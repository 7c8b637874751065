// The transport of gRPC over HTTP/2: the listeners of a process and what they have in common, on Node's `http2`, `net` and `tls` alone.

import { AddressUnusable } from '../../address-unusable.js';
import type { Address } from '../../env.js';
import type { Logger } from '../../log.js';
import type { Certificates } from '../../tls/certificates.js';
import { Connections } from './connections.js';
import { HeldBytes } from './held-bytes.js';
import { Inflater } from './inflate.js';
import type { TransportLimits } from './limits.js';
import { Listener } from './listener.js';
import { Refusals } from './refusals.js';
import type { Route } from './routes.js';

interface Listening {
  /** The setting that holds the address. */
  readonly variable: string;
  readonly address: Address;
  readonly listener: Listener;
}

export class Transport {
  readonly #certificates: Certificates | undefined;
  readonly #handshakeTimeoutMs: number;
  readonly #refusals: Refusals;
  readonly #connections: Connections;
  readonly #listeners: Listening[] = [];

  /** @param certificates undefined: plain text */
  constructor(log: Pick<Logger, 'warn'>, limits: TransportLimits, certificates: Certificates | undefined) {
    this.#certificates = certificates;
    this.#handshakeTimeoutMs = limits.handshakeTimeoutMs;
    this.#refusals = new Refusals(log);
    const held = new HeldBytes(limits.maxHeldBytes);
    this.#connections = new Connections({ limits, held, inflater: new Inflater(), refusals: this.#refusals });
  }

  /** @param variable the setting that holds the address */
  add(variable: string, address: Address, routes: ReadonlyMap<string, Route>): void {
    const listener = new Listener({
      ...{ address, routes, connections: this.#connections, refusals: this.#refusals },
      ...{ certificates: this.#certificates, handshakeTimeoutMs: this.#handshakeTimeoutMs },
    });
    this.#listeners.push({ variable, address, listener });
  }

  /** @returns the addresses, with the ports that were given, in the order of `add`. @throws AddressUnusable */
  async listen(): Promise<readonly Address[]> {
    const addresses: Address[] = [];
    // In turn: where several processes are given ports by chance, it is the order that tells which port is whose.
    for (const { variable, address, listener } of this.#listeners) {
      try {
        addresses.push({ ...address, port: await listener.listen() });
      } catch (error) {
        throw new AddressUnusable(variable, address, error);
      }
    }
    return addresses;
  }

  /** Takes no more connections and calls. Resolves when the last connection has closed. */
  close(): Promise<void> {
    for (const { listener } of this.#listeners) listener.close();
    return this.#connections.close();
  }

  destroy(): void {
    for (const { listener } of this.#listeners) listener.close();
    this.#connections.destroy();
    this.#refusals.report();
  }
}
