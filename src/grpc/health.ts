// Owns grpc.health.v1: a service is SERVING while the store can answer.

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import type { Store } from '../core/ports.js';

export class Health {
  readonly #names: readonly string[];
  readonly #health: HealthImplementation;
  readonly #stopWatching: () => void;

  /** @param services full names; the empty name stands for the whole server */
  constructor(store: Store, services: readonly string[]) {
    this.#names = ['', ...services];
    const statuses: ServingStatusMap = {};
    for (const name of this.#names) statuses[name] = 'NOT_SERVING';
    this.#health = new HealthImplementation(statuses);
    this.#set(store.reachableSinceMs !== undefined);
    this.#stopWatching = store.watch((reachable) => this.#set(reachable));
  }

  addTo(server: Server): void {
    this.#health.addToServer(server);
  }

  /** Says NOT_SERVING from now on, whatever the store does, so that balancers turn away. */
  retire(): void {
    this.#stopWatching();
    this.#set(false);
  }

  #set(serving: boolean): void {
    for (const name of this.#names) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }
}
