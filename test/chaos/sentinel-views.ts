// What one node of the service sees of the Sentinels: a proxy before each of them.

import type { SentinelWorld } from '../support/redis-sentinel.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { SentinelClock } from './sentinel-clock.js';

interface View {
  readonly proxy: TcpProxy;
  readonly clock: SentinelClock;
}

export class SentinelViews {
  /** As REDIS_URL names them. */
  readonly url: string;
  readonly #views: readonly View[];

  private constructor(url: string, views: readonly View[]) {
    this.url = url;
    this.#views = views;
  }

  static async start(world: SentinelWorld): Promise<SentinelViews> {
    const start = async (port: number): Promise<View> => {
      const clock = new SentinelClock();
      return { clock, proxy: await TcpProxy.start(port, () => clock.filter()) };
    };
    const views = await Promise.all(world.sentinels.map(({ port }) => start(port)));
    return new SentinelViews(world.urlBy(views.map(({ proxy }) => proxy.port)), views);
  }

  stepClocks(byMs: number): void {
    for (const { clock } of this.#views) clock.step(byMs);
  }

  /** From now on questions and answers wait. */
  hold(): void {
    for (const { proxy } of this.#views) proxy.hold();
  }

  mend(): void {
    for (const { proxy } of this.#views) proxy.mend();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#views.map(({ proxy }) => proxy.stop()));
  }
}
