// Health by grpc.health.v1: a service is SERVING while the store can answer
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).

import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../proto/gen/grpc/health/v1/health.js';
import type { Store } from '../core/ports.js';
import type { Handlers, StreamingCall } from './transport/method.js';

const UNKNOWN_SERVICE: StatusObject = {
  code: status.NOT_FOUND,
  details: 'there is no service of this name here',
  metadata: new Metadata(),
};

export class Health {
  readonly definition = HealthService;
  /** The empty name stands for the whole server. */
  readonly #names: ReadonlySet<string>;
  readonly #stopWatching: () => void;
  #serving: boolean;
  /** Wakes each watcher at the next change. A watcher leaves it when its call ends. */
  readonly #watchers = new Set<() => void>();
  /** Which of several processes answers: the contract of health has no field for it. */
  readonly #ok: StatusObject;

  /** @param services full names; @param worker the number of this process, if it is one of several */
  constructor(store: Store, services: readonly string[], worker?: number) {
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

  /** Says NOT_SERVING from now on, whatever the store does, so that balancers turn away. */
  retire(): void {
    this.#stopWatching();
    this.#set(false);
  }

  /** Keeps nothing for a watcher but its place: one that does not read gets the newest state when it does. */
  async #watch(call: StreamingCall<HealthCheckRequest, HealthCheckResponse>): Promise<void> {
    const request = await call.read();
    if (!request) return;
    call.sendMetadata(this.#ok.metadata);
    // Such a stream stays open, since the service might come; here none does.
    if (!this.#names.has(request.service)) {
      await call.write({ status: Serving.SERVICE_UNKNOWN });
      return call.ended;
    }
    let told: boolean | undefined;
    while (!call.isCancelled) {
      if (told === this.#serving) await this.#changeOrEnd(call.ended);
      else {
        told = this.#serving;
        await call.write(this.#answer());
      }
    }
  }

  #set(serving: boolean): void {
    if (this.#serving === serving) return;
    this.#serving = serving;
    for (const wake of [...this.#watchers]) wake();
  }

  /** One promise for all watchers would keep each that has ended until the next change. */
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
