// Health by grpc.health.v1: a service is SERVING while the store can answer.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md

import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../../proto/gen/grpc/health/v1/health.js';
import type { Store } from '../../core/ports.js';
import type { Handlers, StreamingCall } from '../transport/method.js';

const UNKNOWN_SERVICE: StatusObject = {
  code: status.NOT_FOUND,
  details: 'there is no service with this name here',
  metadata: new Metadata(),
};

export class Health {
  readonly definition = HealthService;
  /** The empty name is the whole server. */
  readonly #names: ReadonlySet<string>;
  readonly #stopWatching: () => void;
  #serving: boolean;
  /** Callbacks that wake the watchers at the next change. A watcher removes its callback when its call ends. */
  readonly #watchers = new Set<() => void>();
  /** Names the worker in metadata, because the health contract has no field for it. */
  readonly #ok: StatusObject;

  /** @param services full names; @param worker the number of this worker, if there are several */
  constructor(store: Pick<Store, 'reachableSinceMs' | 'watch'>, services: readonly string[], worker?: number) {
    const metadata = new Metadata();
    if (worker !== undefined) metadata.set('latchkey-worker', `${worker}`);
    this.#ok = { code: status.OK, details: '', metadata };
    this.#names = new Set(['', ...services]);
    this.#serving = store.reachableSinceMs !== undefined;
    this.#stopWatching = store.watch((reachable) => this.#set(reachable));
  }

  get handlers(): Handlers<typeof HealthService> {
    return {
      check: ({ service }, _call, answer) =>
        this.#names.has(service) ? answer(this.#ok, this.#answer()) : answer(UNKNOWN_SERVICE),
      list: (_request, _call, answer) => {
        const statuses = Object.fromEntries([...this.#names].map((name) => [name, this.#answer()]));
        answer(this.#ok, { statuses });
      },
      watch: (call) => this.#watch(call),
    };
  }

  /** Reports NOT_SERVING from now on, whatever the state of the store, so that load balancers stop sending calls. */
  retire(): void {
    this.#stopWatching();
    this.#set(false);
  }

  /** Queues no states for a watcher: a watcher that reads late gets the newest state. */
  async #watch(call: StreamingCall<HealthCheckRequest, HealthCheckResponse>): Promise<void> {
    const request = await call.read();
    if (!request) return;
    call.sendMetadata(this.#ok.metadata);
    // The contract keeps this stream open, because a service could be added later. Here none ever is.
    if (!this.#names.has(request.service)) {
      await call.write({ status: Serving.SERVICE_UNKNOWN });
      return call.ended;
    }
    let sent: boolean | undefined;
    while (!call.isCancelled) {
      if (sent === this.#serving) await this.#changeOrEnd(call.ended);
      else {
        sent = this.#serving;
        await call.write(this.#answer());
      }
    }
  }

  #set(serving: boolean): void {
    if (this.#serving === serving) return;
    this.#serving = serving;
    for (const wake of [...this.#watchers]) wake();
  }

  /** Each watcher has a promise of its own: one for all would keep ended watchers in memory until the next change. */
  async #changeOrEnd(ended: Promise<void>): Promise<void> {
    const { promise, resolve } = deferred();
    this.#watchers.add(resolve);
    void ended.then(resolve);
    await promise;
    this.#watchers.delete(resolve);
  }

  #answer(): HealthCheckResponse {
    return { status: this.#serving ? Serving.SERVING : Serving.NOT_SERVING };
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
