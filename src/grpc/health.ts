// Owns grpc.health.v1: a service is SERVING while the store can answer
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).

import { Metadata, type Server, type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthServer,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../proto/gen/grpc/health/v1/health.js';
import type { Store } from '../core/ports.js';

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

export class Health {
  /** The empty name stands for the whole server. */
  readonly #names: ReadonlySet<string>;
  /** Only of names that there are: what callers make up is not remembered. */
  readonly #watchers = new Set<Watcher>();
  readonly #stopWatching: () => void;
  #serving: boolean;

  /** Which of several processes answers: the contract of health has no field for it. */
  readonly #who = new Metadata();

  /** @param services full names; @param worker the number of this process, if it is one of several */
  constructor(store: Store, services: readonly string[], worker?: number) {
    if (worker !== undefined) this.#who.set('latchkey-worker', `${worker}`);
    this.#names = new Set(['', ...services]);
    this.#serving = store.reachableSinceMs !== undefined;
    this.#stopWatching = store.watch((reachable) => this.#set(reachable));
  }

  addTo(server: Server): void {
    const implementation: HealthServer = {
      check: ({ request: { service } }, callback) => {
        if (this.#names.has(service)) callback(null, this.#answer(), this.#who);
        else callback({ code: status.NOT_FOUND, details: 'there is no service of this name here' });
      },
      list: (_call, callback) => {
        const statuses = Object.fromEntries([...this.#names].map((name) => [name, this.#answer()]));
        callback(null, { statuses }, this.#who);
      },
      watch: (call) => {
        call.sendMetadata(this.#who);
        // Such a stream stays open, since the service might come; here none does.
        if (!this.#names.has(call.request.service)) return void call.write({ status: Serving.SERVICE_UNKNOWN });
        this.#watchers.add(call);
        for (const end of ['cancelled', 'close', 'error']) call.once(end, () => this.#watchers.delete(call));
        call.write(this.#answer());
      },
    };
    server.addService(HealthService, implementation);
  }

  /** Says NOT_SERVING from now on, whatever the store does, so that balancers turn away. */
  retire(): void {
    this.#stopWatching();
    this.#set(false);
  }

  #set(serving: boolean): void {
    if (this.#serving === serving) return;
    this.#serving = serving;
    for (const call of this.#watchers) call.write(this.#answer());
  }

  #answer(): HealthCheckResponse {
    return { status: this.#serving ? Serving.SERVING : Serving.NOT_SERVING };
  }
}
