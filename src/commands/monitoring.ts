// The servers for operators' programs: metrics at METRICS_ADDRESS, probes at HEALTH_ADDRESS.

import { AddressUnusable } from '../platform/address-unusable.js';
import type { Address } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import type { ProcessMetrics } from '../platform/metrics/process-metrics.js';
import type { MetricSnapshot } from '../platform/metrics/recorders.js';
import { jsonPage, type MakePage, PrivateServer } from '../platform/private-server.js';
import { version } from '../platform/version.js';
import type { HealthSettings, MetricsSettings } from '../settings/monitoring.js';

/** What other processes have recorded. */
export type OtherSnapshots = () => Promise<readonly (readonly MetricSnapshot[])[]>;

/** The library is loaded only where it is used. @returns undefined if metrics are off */
export async function recordMetrics(settings: MetricsSettings | undefined): Promise<ProcessMetrics | undefined> {
  if (!settings) return undefined;
  const { ProcessMetrics } = await import('../platform/metrics/process-metrics.js');
  return new ProcessMetrics(version());
}

/**
 * Serves `/metrics`.
 * @param others what is served with this process's own
 * @returns undefined if the default address is taken: then it is not served
 * @throws AddressUnusable if the address was chosen
 */
export async function serveMetrics(
  { address, isOptional }: MetricsSettings,
  metrics: ProcessMetrics,
  log: Logger,
  others: OtherSnapshots = async () => [],
): Promise<PrivateServer | undefined> {
  const { expose } = await import('../platform/metrics/exposition.js');
  const collect = shared(async () => [metrics.snapshot(), ...(await others())]);
  const page: MakePage = async (accept) => ({ status: 200, ...(await expose(await collect(), accept)) });
  try {
    const pages = new Map([['/metrics', page]]);
    const server = await PrivateServer.listen({ variable: 'METRICS_ADDRESS', address, pages, log });
    log.info({ address: server.address }, 'metrics listening');
    return server;
  } catch (error) {
    if (!isOptional || !(error instanceof AddressUnusable)) throw error;
    log.warn({ detail: error.message }, 'metrics are not served');
    return undefined;
  }
}

/** Concurrent callers share one run: a scraper that asks again and again must not occupy the process. */
function shared<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Whether a service is ready for calls. */
export interface ServiceState {
  /** Whether it listens, with its keys, and has reached its store once. */
  readonly hasServed: boolean;
  /** Whether it reaches its store now. */
  readonly reachesStore: boolean;
}

/** The probes of a service, from before its start until the end of its process. */
export class Probes {
  #state: ServiceState = { hasServed: false, reachesStore: false };
  #isStopping = false;
  #server: PrivateServer | undefined;

  /** Begins to listen. @param settings undefined: there are no probes. @throws AddressUnusable */
  static async start(settings: HealthSettings | undefined, log: Logger): Promise<Probes> {
    const probes = new Probes();
    if (!settings) return probes;
    const { address, needsStore } = settings;
    const pages = new Map<string, MakePage>([
      // Never looks at the store: a restart does not bring it back.
      ['/livez', () => jsonPage(200, { status: 'ok' })],
      ['/readyz', () => probes.#ready(needsStore)],
    ]);
    const server = await PrivateServer.listen({ variable: 'HEALTH_ADDRESS', address, pages, log });
    probes.#server = server;
    log.info({ address: server.address }, 'probes listening');
    return probes;
  }

  /** Where they listen; undefined: nowhere. */
  get address(): Address | undefined {
    return this.#server?.address;
  }

  /** From now on the probes follow this service. */
  follow(state: ServiceState): void {
    this.#state = state;
  }

  /** Not ready from now on, so that no more calls are sent here. */
  retire(): void {
    this.#isStopping = true;
  }

  close(): void {
    this.#server?.close();
  }

  #ready(needsStore: boolean) {
    const { hasServed, reachesStore } = this.#state;
    const reason = this.#isStopping
      ? 'stopping'
      : !hasServed
        ? 'starting'
        : needsStore && !reachesStore
          ? 'the store is not reachable'
          : undefined;
    return reason === undefined ? jsonPage(200, { status: 'ok' }) : jsonPage(503, { status: 'unavailable', reason });
  }
}
