// The supervisor of the workers: restart, rolling replacement, joint shutdown.

import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Variables } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import { standardError } from '../platform/output/standard-error.js';
import { BackOff } from './back-off.js';
import { replaceWorkers } from './rolling-replacement.js';
import { WorkerFailed, WorkerHandle } from './worker-handle.js';
import { logEnd, type WorkerSlot } from './worker-slot.js';

/** How long a worker may take to listen, and during a rolling replacement to reach its store. */
const START_MS = 30_000;
/** Longer than the time limit of a service's own stop. */
const STOP_MS = 15_000;

export interface PoolOptions {
  readonly count: number;
  /** The program of a worker, and its arguments. */
  readonly exec: string;
  readonly args: readonly string[];
  /** Sent to the workers, because it is not in their environment. */
  readonly secrets: Variables;
  /** Called with each worker when its process has been started. */
  readonly onFork?: (handle: WorkerHandle) => void;
  readonly startMs?: number;
  readonly stopMs?: number;
}

export class Pool {
  readonly #log: Logger;
  readonly #options: PoolOptions;
  readonly #startMs: number;
  readonly #stopMs: number;
  readonly #slots: WorkerSlot[] = [];
  /** All running workers, in a slot or not. */
  readonly #handles = new Set<WorkerHandle>();
  #started = false;
  #stopping = false;
  #rolling = false;
  #rollAgain = false;

  constructor(log: Logger, options: PoolOptions) {
    this.#log = log;
    this.#options = options;
    this.#startMs = options.startMs ?? START_MS;
    this.#stopMs = options.stopMs ?? STOP_MS;
    // Round robin. If the operating system chooses, it distributes connections unevenly.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // Descriptor 2 of this process may point to /dev/null.
    const stdio = ['inherit', 'inherit', standardError(), 'ipc'] as const;
    cluster.setupPrimary({ exec: options.exec, args: [...options.args], stdio: [...stdio] });
  }

  /**
   * Starts one worker, and the others when it listens, so that a common error is reported only once.
   * @throws WorkerFailed if the first one cannot start
   */
  async start(): Promise<void> {
    const first = this.#fork();
    const addresses = await first.listening.catch((error: unknown) => {
      if (!this.#stopping) throw error;
    });
    // `stop` waits for the workers.
    if (this.#stopping) return;
    this.#assignSlot(first);
    const others = Array.from({ length: this.#options.count - 1 }, () => this.#fork());
    for (const each of others) this.#assignSlot(each);
    await Promise.allSettled(others.map(({ listening }) => listening));
    this.#started = true;
    if (this.#stopping) return;
    this.#log.info({ workers: this.#options.count, addresses }, 'the workers have started');
    if (this.#rollAgain) this.roll();
  }

  /** Replaces the workers one by one, each when its successor serves. During a roll, schedules one more. */
  roll(): void {
    this.#rollAgain = true;
    if (this.#started && !this.#rolling) void this.#roll();
  }

  /** Stops all workers gracefully. @throws WorkerFailed if some had to be killed */
  async stop(): Promise<void> {
    this.#stopping = true;
    const handles = [...this.#handles];
    for (const handle of handles) handle.stop();
    const ended = Promise.all(handles.map((handle) => handle.ended));
    const stopMs = this.#stopMs;
    if (await Promise.race([ended, sleep(stopMs, undefined, { ref: false })])) return;
    this.kill();
    throw new WorkerFailed(`workers had not ended after ${stopMs} ms, and were killed`);
  }

  /** Kills all workers. */
  kill(): void {
    this.#stopping = true;
    for (const handle of this.#handles) handle.kill();
  }

  #fork(): WorkerHandle {
    const handle = new WorkerHandle(this.#options.secrets, this.#startMs);
    this.#handles.add(handle);
    this.#options.onFork?.(handle);
    void handle.ended.then(() => this.#handles.delete(handle));
    // The pool may have been stopped during the fork.
    if (this.#stopping) handle.stop();
    return handle;
  }

  #assignSlot(handle: WorkerHandle): void {
    const slot = { handle, rolling: undefined, backOff: new BackOff() };
    this.#slots.push(slot);
    void this.#supervise(slot);
  }

  /** Restarts the worker of a slot whenever it ends, until the pool stops. */
  async #supervise(slot: WorkerSlot): Promise<void> {
    for (;;) {
      const { handle } = slot;
      const ending = await handle.ended;
      await slot.rolling;
      if (this.#stopping) return;
      // A roll has put another worker into the slot.
      if (slot.handle !== handle) continue;
      const againInMs = slot.backOff.after(handle.livedMs);
      logEnd(this.#log, handle, ending, { againInMs });
      await sleep(againInMs);
      if (this.#stopping) return;
      slot.handle = this.#fork();
    }
  }

  async #roll(): Promise<void> {
    this.#rolling = true;
    const parts = {
      ...{ log: this.#log, slots: this.#slots, startMs: this.#startMs, stopMs: this.#stopMs },
      fork: () => this.#fork(),
      isStopping: () => this.#stopping,
    };
    while (this.#rollAgain && !this.#stopping) {
      this.#rollAgain = false;
      this.#log.info({ workers: this.#slots.length }, 'replacing the workers one by one');
      if (await replaceWorkers(parts))
        this.#log.info({ workers: this.#slots.length }, 'all workers have been replaced');
    }
    this.#rolling = false;
  }
}
