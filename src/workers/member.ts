// Owns one worker as its primary sees it: from its start, bounded in time, to its end.

import cluster, { type Worker } from 'node:cluster';
import type { Address, Variables } from '../env.js';
import { closeUntaken } from './handover.js';
import type { ToPrimary, ToWorker } from './messages.js';

/** How a process has ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not start, in its own words; undefined: it could, or said nothing. */
  readonly why: string | undefined;
}

/** A worker has ended, or was ended, before it did what it was started for. */
export class WorkerFailed extends Error {
  readonly code = 'WORKER_FAILED';
  override readonly name = 'WorkerFailed';
}

export class Member {
  /** Counts the workers of a primary from 1; none has the number of another. Undefined: it could not be started at all. */
  readonly id: number | undefined;
  readonly pid: number | undefined;
  /** Resolves once it takes connections. @throws WorkerFailed */
  readonly listening: Promise<readonly Address[]>;
  /** Resolves once it has reached its store, too. @throws WorkerFailed, never before it has ended */
  readonly serving: Promise<void>;
  readonly ended: Promise<Ending>;
  readonly #worker: Worker | undefined;
  #hears = false;
  #why: string | undefined;
  #listeningAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** Starts it. @param startMs how long it may take until it listens; then it is killed */
  constructor(secrets: Variables, startMs: number) {
    try {
      this.#worker = cluster.fork();
    } catch (error) {
      // Of what a start can fail of, Node tells some by an event and throws the rest, such as ENOMEM.
      this.#why = error instanceof Error ? error.message : String(error);
    }
    const worker = this.#worker;
    this.id = worker?.id;
    this.pid = worker?.process.pid;
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void => {
        this.#endedAtMs = performance.now();
        resolve({ code, signal, why: this.#why });
      };
      if (!worker) return end(null, null);
      worker.once('exit', end);
      worker.on('error', (error: Error) => {
        // A channel that breaks is the end of the worker, which is heard of anyway.
        if (this.pid !== undefined) return;
        // What could not be started, for the system has no room, has no exit.
        this.#why ??= error.message;
        end(null, null);
      });
    });
    if (worker) closeUntaken(worker);
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
      if (message.kind !== 'hello') return;
      this.#hears = true;
      this.#send({ kind: 'secrets', secrets });
    });
    const late = setTimeout(() => this.kill(`it did not listen within ${startMs} ms`), startMs);
    const inTime = () => clearTimeout(late);
    // Whoever does not wait for these hears of its end.
    this.listening.then(inTime, inTime);
    this.serving.catch(() => {});
  }

  get isAlive(): boolean {
    return this.#endedAtMs === undefined;
  }

  /** How long it has taken connections, ms. */
  get livedMs(): number {
    return this.#listeningAtMs === undefined ? 0 : (this.#endedAtMs ?? performance.now()) - this.#listeningAtMs;
  }

  /** Asks it to let its calls end, and to end. */
  stop(): void {
    if (this.#hears) this.#send({ kind: 'stop' });
    // It has no calls yet.
    else this.#worker?.process.kill('SIGTERM');
  }

  /** @param why what is then said of its end */
  kill(why?: string): void {
    this.#why ??= why;
    this.#worker?.process.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    if (this.#worker?.isConnected()) this.#worker.send(message, () => {});
  }
}

const failureOf = ({ code, signal, why }: Ending): WorkerFailed =>
  new WorkerFailed(why ?? `a worker ended at its start (${signal === null ? `exit code ${code}` : signal})`);
