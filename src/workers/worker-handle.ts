// One worker process as its primary sees it, from its start to its end.

import cluster, { type Worker } from 'node:cluster';
import type { Address, Variables } from '../platform/env.js';
import type { MetricSnapshot } from '../platform/metrics/recorders.js';
import type { ToPrimary, ToWorker } from './messages.js';
import { closeOrphanedConnections } from './orphaned-connections.js';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** The worker's own text about why it could not start; undefined: it started, or sent no text. */
  readonly why: string | undefined;
}

/** A worker ended before it was ready, or had to be killed. */
export class WorkerFailed extends Error {
  readonly code = 'WORKER_FAILED';
  override readonly name = 'WorkerFailed';
}

export class WorkerHandle {
  /** A unique number from 1. Undefined: the process could not be started at all. */
  readonly id: number | undefined;
  readonly pid: number | undefined;
  /** Resolves once it listens. @throws WorkerFailed */
  readonly listening: Promise<readonly Address[]>;
  /** Resolves once it has also reached its store. @throws WorkerFailed when it has ended before that */
  readonly serving: Promise<void>;
  readonly ended: Promise<Ending>;
  /** Whether it has reached its store once, and whether it reaches it now. */
  hasServed = false;
  reachesStore = false;
  /** The metrics that it sent last. */
  metrics: readonly MetricSnapshot[] = [];
  readonly #worker: Worker | undefined;
  #isConnected = false;
  #why: string | undefined;
  /** Callers that wait for the next metrics. A handler on `ended` for each would be kept until the worker ends. */
  readonly #waiting = new Set<() => void>();
  #listeningAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** Starts the process. @param startMs the worker is killed if it does not listen within this time */
  constructor(secrets: Variables, startMs: number) {
    try {
      this.#worker = cluster.fork();
    } catch (error) {
      // Node reports some failures to start by an event, and throws others, such as ENOMEM.
      this.#why = error instanceof Error ? error.message : String(error);
    }
    const worker = this.#worker;
    this.id = worker?.id;
    this.pid = worker?.process.pid;
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void => {
        this.#endedAtMs = performance.now();
        resolve({ code, signal, why: this.#why });
        this.#answerWaiting();
      };
      if (!worker) return end(null, null);
      worker.once('exit', end);
      worker.on('error', (error: Error) => {
        // A broken channel: the worker's `exit` event will follow.
        if (this.pid !== undefined) return;
        // The process could not be started, and will emit no `exit`.
        this.#why ??= error.message;
        end(null, null);
      });
    });
    if (worker) closeOrphanedConnections(worker);
    this.listening = new Promise((resolve, reject) => {
      worker?.on('message', (message: ToPrimary) => {
        if (message.kind !== 'listening') return;
        this.#listeningAtMs = performance.now();
        resolve(message.addresses);
      });
      void this.ended.then((ending) => reject(failureOf(ending)));
    });
    this.serving = new Promise((resolve, reject) => {
      worker?.on('message', ({ kind }: ToPrimary) => kind === 'serving' && resolve());
      void this.ended.then((ending) => reject(failureOf(ending)));
    });
    worker?.on('message', (message: ToPrimary) => {
      if (message.kind === 'failed') this.#why = message.why;
      if (message.kind === 'serving') this.hasServed = true;
      if (message.kind === 'store') this.reachesStore = message.isReachable;
      if (message.kind === 'metrics') this.#takeMetrics(message.metrics);
      if (message.kind !== 'hello') return;
      this.#isConnected = true;
      this.#send({ kind: 'secrets', secrets });
    });
    const late = setTimeout(() => this.kill(`it did not listen within ${startMs} ms`), startMs);
    const inTime = () => clearTimeout(late);
    // Handled here, so that a rejection is never unhandled. `ended` also reports the end.
    this.listening.then(inTime, inTime);
    this.serving.catch(() => {});
  }

  get isAlive(): boolean {
    return this.#endedAtMs === undefined;
  }

  /** How long it has been listening, ms. */
  get livedMs(): number {
    return this.#listeningAtMs === undefined ? 0 : (this.#endedAtMs ?? performance.now()) - this.#listeningAtMs;
  }

  /** Asks the worker to finish its calls and to exit. */
  stop(): void {
    if (this.#isConnected) this.#send({ kind: 'stop' });
    // The worker has no calls yet.
    else this.#worker?.process.kill('SIGTERM');
  }

  /** Asks for the metrics, and waits until they have come, for a limited time: a worker may hang. */
  async askForMetrics(limitMs: number): Promise<void> {
    if (!this.#isConnected || !this.isAlive) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(late);
        this.#waiting.delete(done);
        resolve();
      };
      const late = setTimeout(done, limitMs);
      this.#waiting.add(done);
      this.#send({ kind: 'metrics' });
    });
  }

  /** @param why the reason in the log line about its end */
  kill(why?: string): void {
    this.#why ??= why;
    this.#worker?.process.kill('SIGKILL');
  }

  #takeMetrics(metrics: readonly MetricSnapshot[]): void {
    this.metrics = metrics;
    this.#answerWaiting();
  }

  #answerWaiting(): void {
    for (const done of [...this.#waiting]) done();
  }

  #send(message: ToWorker): void {
    if (this.#worker?.isConnected()) this.#worker.send(message, () => {});
  }
}

const failureOf = ({ code, signal, why }: Ending): WorkerFailed =>
  new WorkerFailed(why ?? `a worker ended during its start (${signal === null ? `exit code ${code}` : signal})`);
