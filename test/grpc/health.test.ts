// Health streams that come and go while the health stays as it is.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { HealthCheckRequest, HealthCheckResponse } from '../../proto/gen/grpc/health/v1/health.js';
import type { Store } from '../../src/core/ports.js';
import { Health } from '../../src/grpc/services/health.js';
import type { StreamingCall } from '../../src/grpc/transport/method.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A watcher that goes once it has its first answer. */
class ShortWatch implements Partial<StreamingCall<HealthCheckRequest, HealthCheckResponse>> {
  isCancelled = false;
  #end = (): void => {};
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  read = async () => ({ service: '' });
  sendMetadata = (): void => {};
  write = async (): Promise<void> => {
    setImmediate(() => {
      this.isCancelled = true;
      this.#end();
    });
  };
}

function usedBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('health', () => {
  it('keeps nothing of watchers that have gone', async () => {
    const store = { reachableSinceMs: 0, watch: () => () => {} } as unknown as Store;
    const { watch } = new Health(store, []).handlers;
    const visit = (count: number) => Promise.all(Array.from({ length: count }, () => watch(new ShortWatch() as never)));
    await visit(1_000);
    const before = usedBytes();
    for (let round = 0; round < 20; round++) await visit(1_000);
    expect(usedBytes() - before).to.be.below(2_000_000);
  });
});
