// The transport of gRPC over HTTP/2: the listeners of a process and their common limits. On Node alone.

import { AddressUnusable } from '../../platform/address-unusable.js';
import type { Address } from '../../platform/env.js';
import type { Logger } from '../../platform/log.js';
import type { Certificates } from '../../platform/tls/certificates.js';
import { Connections } from './connections.js';
import { HeldBytes } from './held-bytes.js';
import { Inflater } from './inflate.js';
import { LimitLog } from './limit-log.js';
import type { TransportLimits } from './limits.js';
import { Listener } from './listener.js';
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
  readonly #limitLog: LimitLog;
  readonly #connections: Connections;
  readonly #listeners: Listening[] = [];

  /** @param certificates undefined: plain text */
  constructor(log: Pick<Logger, 'warn' | 'error'>, limits: TransportLimits, certificates: Certificates | undefined) {
    this.#certificates = certificates;
    this.#handshakeTimeoutMs = limits.handshakeTimeoutMs;
    this.#limitLog = new LimitLog(log);
    const held = new HeldBytes(limits.maxHeldBytes);
    this.#connections = new Connections({ limits, held, inflater: new Inflater(), limitLog: this.#limitLog, log });
  }

  /** @param variable the setting that holds the address */
  add(variable: string, address: Address, routes: ReadonlyMap<string, Route>): void {
    const listener = new Listener({
      ...{ address, routes, connections: this.#connections, limitLog: this.#limitLog },
      ...{ certificates: this.#certificates, handshakeTimeoutMs: this.#handshakeTimeoutMs },
    });
    this.#listeners.push({ variable, address, listener });
  }

  /** @returns the addresses with their actual ports, in the order of `add`. @throws AddressUnusable */
  async listen(): Promise<readonly Address[]> {
    const addresses: Address[] = [];
    // One after the other: if workers share ports that the system chooses, the order says which port belongs to which.
    for (const { variable, address, listener } of this.#listeners) {
      try {
        addresses.push({ ...address, port: await listener.listen() });
      } catch (error) {
        throw new AddressUnusable(variable, address, error);
      }
    }
    return addresses;
  }

  /** Accepts no more connections and calls. Resolves when the last connection has closed. */
  close(): Promise<void> {
    for (const { listener } of this.#listeners) listener.close();
    return this.#connections.close();
  }

  destroy(): void {
    for (const { listener } of this.#listeners) listener.close();
    this.#connections.destroy();
    this.#limitLog.report();
  }
}
